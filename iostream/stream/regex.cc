#include <squall/iostream/stream/regex.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <fmt/format.h>
#include <pcre2.h>

#include <stdexcept>

namespace squall {
namespace {

// Steps of one search: some tens of milliseconds.
constexpr std::uint32_t kMatchLimit = 1'000'000;

// Memory of one search without a JIT, or beyond what its stack is good for. In KiB.
constexpr std::uint32_t kHeapLimit = 64 * 1024;

struct Free {
  void operator()(pcre2_code* code) const noexcept { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const noexcept { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const noexcept { pcre2_match_context_free(context); }
};

// What a search writes to, of which a thread needs one.
struct Scratch {
  std::unique_ptr<pcre2_match_data, Free> match{pcre2_match_data_create(1, nullptr)};
  std::unique_ptr<pcre2_match_context, Free> context{pcre2_match_context_create(nullptr)};

  Scratch() {
    if (!context) return;
    pcre2_set_match_limit(context.get(), kMatchLimit);
    pcre2_set_heap_limit(context.get(), kHeapLimit);
  }
};

}  // namespace

struct Regex::Code {
  std::unique_ptr<pcre2_code, Free> compiled;
  bool has_jit = false;
};

Regex::Regex(std::string_view pattern) : code_(std::make_unique<Code>()) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  code_->compiled.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), 0, &error,
                                      &offset, nullptr));
  if (!code_->compiled) {
    PCRE2_UCHAR message[256];
    pcre2_get_error_message(error, message, sizeof message);
    throw std::invalid_argument(fmt::format("Regular expression \"{}\" is wrong at offset {}: {}", pattern,
                                            offset, reinterpret_cast<const char*>(message)));
  }
  code_->has_jit = pcre2_jit_compile(code_->compiled.get(), PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD) == 0;
}

Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Regex::Found Regex::search(std::string_view bytes, std::size_t from, bool at_end) const noexcept {
  thread_local Scratch scratch;
  if (!scratch.match || !scratch.context) return {Outcome::too_complex};
  // An empty view may have a null pointer, which older libraries do not take.
  const char* const data = bytes.data() ? bytes.data() : "";
  const auto search = [&](auto* function, std::uint32_t options) {
    return function(code_->compiled.get(), reinterpret_cast<PCRE2_SPTR>(data), bytes.size(), from,
                    options | (at_end ? 0 : PCRE2_PARTIAL_HARD), scratch.match.get(), scratch.context.get());
  };
  int result = code_->has_jit ? search(&pcre2_jit_match, 0) : search(&pcre2_match, 0);
  // The interpreter has the heap for its stack, up to its limit.
  if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = search(&pcre2_match, PCRE2_NO_JIT);
  const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(scratch.match.get());
  if (result >= 0) return {Outcome::match, bounds[1]};
  if (result == PCRE2_ERROR_PARTIAL) return {Outcome::more, bounds[0]};
  if (result == PCRE2_ERROR_NOMATCH) {
    if (at_end) return {Outcome::none};
    return {Outcome::more, bytes.size()};
  }
  return {Outcome::too_complex};
}

}  // namespace squall
