#include <squall/iostream/stream/regex.h>

#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <new>
#include <stdexcept>

namespace squall {
namespace {

// Memory of one search by the interpreter, in KiB.
constexpr std::uint32_t kHeapLimit = 64 * 1024;
// The stack of compiled code, where its 32 KiB of the machine's stack do not suffice.
constexpr std::size_t kFirstStack = 32 * 1024;
constexpr std::size_t kLargeStack = 8 * 1024 * 1024;

struct Free {
  void operator()(pcre2_code* code) const noexcept { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const noexcept { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const noexcept { pcre2_match_context_free(context); }
  void operator()(pcre2_jit_stack* stack) const noexcept { pcre2_jit_stack_free(stack); }
};

// The memory that a search writes to; each thread has one.
struct Scratch {
  std::unique_ptr<pcre2_match_data, Free> match;
  std::unique_ptr<pcre2_match_context, Free> context{pcre2_match_context_create(nullptr)};
  std::uint32_t pairs = 0;      // places in `match`
  std::uint32_t max_steps = 0;  // the limit that `context` has

  Scratch() noexcept {
    if (context) pcre2_set_heap_limit(context.get(), kHeapLimit);
  }
  // False without memory.
  bool reserve(std::uint32_t wanted) noexcept {
    if (pairs < wanted) {
      pairs = std::max(wanted, 2 * pairs);
      match.reset(pcre2_match_data_create(pairs, nullptr));
      if (!match) pairs = 0;
    }
    return pairs != 0 && context != nullptr;
  }
};

Scratch& scratch() noexcept {
  thread_local Scratch scratch;
  return scratch;
}

std::uint32_t compile_options(RegexOptions::Extent extent) noexcept {
  return extent == RegexOptions::Extent::whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY
                                               : 0;
}

std::string compile_error(std::string_view pattern, int error, std::size_t offset) {
  PCRE2_UCHAR message[256];
  pcre2_get_error_message(error, message, sizeof message);
  return fmt::format("Regular expression \"{}\" is wrong at offset {}: {}", pattern, offset,
                     reinterpret_cast<const char*>(message));
}

}  // namespace

struct Regex::Code {
  std::unique_ptr<pcre2_code, Free> compiled;
  std::uint32_t groups = 0;
  std::uint32_t max_steps = 0;
  bool has_jit = false;  // without a JIT the interpreter does the work
  std::optional<char> required;

  std::uint32_t number(std::uint32_t what) const noexcept {
    std::uint32_t value = 0;
    pcre2_pattern_info(compiled.get(), what, &value);
    return value;
  }
  std::optional<char> find_required() const noexcept;
  int run(Scratch& scratch, std::string_view bytes, std::size_t from, std::uint32_t options) const noexcept;

 private:
  using Function = decltype(pcre2_match);
  int call(Function* function, Scratch& scratch, std::string_view bytes, std::size_t from,
           std::uint32_t options) const noexcept;
  int run_with_large_stack(Scratch& scratch, std::string_view bytes, std::size_t from,
                           std::uint32_t options) const noexcept;
};

// PCRE2 looks for its last literal before a search too, but not in a search for partial matches. It does not
// tell whether the literal stands for both cases, so letters are left out, and bytes beyond ASCII.
std::optional<char> Regex::Code::find_required() const noexcept {
  const std::uint32_t byte = number(PCRE2_INFO_LASTCODEUNIT);
  if (number(PCRE2_INFO_LASTCODETYPE) == 0 || byte >= 0x80) return std::nullopt;
  const char c = static_cast<char>(byte);
  return is_alpha(c) ? std::nullopt : std::optional(c);
}

int Regex::Code::call(Function* function, Scratch& scratch, std::string_view bytes, std::size_t from,
                      std::uint32_t options) const noexcept {
  // An empty view may have a null pointer, which older versions of PCRE2 refuse.
  const char* const data = bytes.data() ? bytes.data() : "";
  return function(compiled.get(), reinterpret_cast<PCRE2_SPTR>(data), bytes.size(), from, options,
                  scratch.match.get(), scratch.context.get());
}

int Regex::Code::run(Scratch& scratch, std::string_view bytes, std::size_t from,
                     std::uint32_t options) const noexcept {
  if (scratch.max_steps != max_steps) {
    pcre2_set_match_limit(scratch.context.get(), max_steps);
    scratch.max_steps = max_steps;
  }
  if (!has_jit) return call(&pcre2_match, scratch, bytes, from, options);
  // The JIT's own entry leaves out checks of its arguments.
  const int result = call(&pcre2_jit_match, scratch, bytes, from, options);
  return result == PCRE2_ERROR_JIT_STACKLIMIT ? run_with_large_stack(scratch, bytes, from, options) : result;
}

// A repeated group fills the small stack with a kilobyte of text. That is rare, so it may cost an allocation,
// about 5 us. Beyond the large stack the interpreter searches, whose stack is the heap, up to kHeapLimit.
int Regex::Code::run_with_large_stack(Scratch& scratch, std::string_view bytes, std::size_t from,
                                      std::uint32_t options) const noexcept {
  const std::unique_ptr<pcre2_jit_stack, Free> stack(
      pcre2_jit_stack_create(kFirstStack, kLargeStack, nullptr));
  if (!stack) return PCRE2_ERROR_NOMEMORY;
  pcre2_jit_stack_assign(scratch.context.get(), nullptr, stack.get());
  const int result = call(&pcre2_jit_match, scratch, bytes, from, options);
  pcre2_jit_stack_assign(scratch.context.get(), nullptr, nullptr);
  if (result != PCRE2_ERROR_JIT_STACKLIMIT) return result;
  return call(&pcre2_match, scratch, bytes, from, options | PCRE2_NO_JIT);
}

Regex::Regex(std::string_view pattern, const Options& options) : code_(std::make_unique<Code>()) {
  int error = 0;
  PCRE2_SIZE offset = 0;
  code_->compiled.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                                      compile_options(options.extent), &error, &offset, nullptr));
  if (!code_->compiled) throw std::invalid_argument(compile_error(pattern, error, offset));
  code_->groups = code_->number(PCRE2_INFO_CAPTURECOUNT);
  code_->required = code_->find_required();
  code_->max_steps = options.max_steps;
  code_->has_jit = pcre2_jit_compile(code_->compiled.get(), PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD) == 0;
}

Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

std::size_t Regex::groups() const noexcept { return code_->groups; }
std::size_t Regex::named_groups() const noexcept { return code_->number(PCRE2_INFO_NAMECOUNT); }

std::optional<char> Regex::required_byte() const noexcept { return code_->required; }

Regex::Found Regex::search(std::string_view bytes, std::size_t from, bool at_end) const noexcept {
  Scratch& memory = scratch();
  if (!memory.reserve(1)) return {Outcome::too_complex};
  const int result = code_->run(memory, bytes, from, at_end ? 0 : PCRE2_PARTIAL_HARD);
  const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(memory.match.get());
  if (result >= 0) return {Outcome::match, bounds[1]};
  if (result == PCRE2_ERROR_PARTIAL) return {Outcome::more, bounds[0]};
  if (result == PCRE2_ERROR_NOMATCH) {
    if (at_end) return {Outcome::none};
    return {Outcome::more, bytes.size()};
  }
  return {Outcome::too_complex};
}

bool Regex::match(std::string_view text, Groups& groups) const {
  Scratch& memory = scratch();
  const std::uint32_t count = code_->groups;
  if (!memory.reserve(count + 1)) throw std::bad_alloc();
  const int result = code_->run(memory, text, 0, 0);
  if (result == PCRE2_ERROR_NOMEMORY) throw std::bad_alloc();
  if (result < 0) return false;
  const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(memory.match.get());
  groups.clear();
  const auto matched = static_cast<std::uint32_t>(result);
  for (std::uint32_t i = 1; i <= count; ++i) {
    const PCRE2_SIZE* const group = bounds + 2 * i;
    // PCRE2's JIT code leaves the groups behind the last matched group as they were.
    if (i >= matched || group[0] == PCRE2_UNSET) {
      groups.emplace_back();
    } else {
      groups.emplace_back(text.substr(group[0], group[1] - group[0]));
    }
  }
  return true;
}

}  // namespace squall
