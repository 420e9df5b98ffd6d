#include <squall/iostream/stream/regex.h>

#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cassert>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

namespace squall {
namespace {

// Bytes that an item of an expression passes over in the time of one step.
constexpr std::size_t kBytesPerStep = 16;
// Steps for each byte of the text that every search may take. A delimiter such as `\r?\n` tries a few items
// at each byte where a match may begin, and a search for it in a large buffer must not fail.
constexpr std::size_t kStepsPerByte = 8;
// Memory of one search by the interpreter, in KiB.
constexpr std::uint32_t kHeapLimit = 64 * 1024;
// The stack of compiled code if its 32 KiB of the machine's stack do not suffice.
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
  std::uint32_t pairs = 0;  // the number of pairs in `match`

  Scratch() noexcept {
    if (context) pcre2_set_heap_limit(context.get(), kHeapLimit);
  }
  // False if memory is exhausted.
  bool reserve(std::uint32_t wanted) noexcept { return wanted <= pairs || grow(wanted); }
  [[gnu::cold]] bool grow(std::uint32_t wanted) noexcept {
    match.reset(pcre2_match_data_create(wanted, nullptr));
    pairs = match && context ? wanted : 0;
    return pairs != 0;
  }
};

Scratch& scratch() noexcept {
  thread_local Scratch scratch;
  return scratch;
}

// The steps of one search, while code that counts them runs.
struct StepCounter {
  std::size_t left;
  std::size_t cost;  // of each step at least
  bool has_back_references;
  std::size_t start = 0;     // where the match that is tried begins
  std::size_t position = 0;  // where its last item was tried
};

std::size_t longest_group(const pcre2_callout_block& item) noexcept {
  std::size_t longest = 0;
  for (std::uint32_t i = 1; i < item.capture_top; ++i) {
    const PCRE2_SIZE* const bounds = item.offset_vector + 2 * i;
    if (bounds[0] != PCRE2_UNSET && bounds[1] > bounds[0]) longest = std::max(longest, bounds[1] - bounds[0]);
  }
  return longest;
}

// PCRE2 calls this function before each item that it tries.
int count_step(pcre2_callout_block* item, void* data) noexcept {
  StepCounter& counter = *static_cast<StepCounter*>(data);
  if (item->start_match != counter.start) counter.start = counter.position = item->start_match;
  std::size_t bytes =
      item->current_position > counter.position ? item->current_position - counter.position : 0;
  counter.position = item->current_position;
  // A back reference may compare all bytes of its group, and fail at the last.
  if (counter.has_back_references) bytes += longest_group(*item);
  const std::size_t steps = counter.cost + bytes / kBytesPerStep;
  if (steps > counter.left) return PCRE2_ERROR_MATCHLIMIT;
  counter.left -= steps;
  return 0;
}

// The largest count of a repetition such as `\w{1000}`. In one step such an item may pass over
// that many bytes and then fail.
std::size_t longest_repetition(std::string_view pattern) noexcept {
  std::size_t longest = 0;
  for (std::size_t at = pattern.find('{'); at != pattern.npos; at = pattern.find('{', at + 1)) {
    std::size_t count = 0;
    // PCRE2 has no counts above 65535.
    for (std::size_t i = at + 1; i < pattern.size() && is_digit(pattern[i]) && count <= 65535; ++i)
      count = 10 * count + static_cast<std::size_t>(pattern[i] - '0');
    longest = std::max(longest, count);
  }
  return longest;
}

std::uint32_t compile_options(RegexOptions::Extent extent) noexcept {
  // The subject is bytes: with `(*UTF)` in the pattern PCRE2 would take it for valid UTF-8 without a check.
  return PCRE2_NEVER_UTF |
         (extent == RegexOptions::Extent::whole ? PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY
                                                : 0);
}

std::string compile_error(std::string_view pattern, int error, std::size_t offset) {
  PCRE2_UCHAR message[256];
  pcre2_get_error_message(error, message, sizeof message);
  return fmt::format("Regular expression \"{}\" is wrong at offset {}: {}", pattern, offset,
                     reinterpret_cast<const char*>(message));
}

// A pattern as PCRE2 runs it.
class CompiledPattern {
 public:
  CompiledPattern(std::string_view pattern, std::uint32_t options) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(), options, &error,
                              &offset, nullptr));
    if (!code_) throw std::invalid_argument(compile_error(pattern, error, offset));
    pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE | PCRE2_JIT_PARTIAL_HARD);
    PCRE2_SIZE jit_size = 0;
    pcre2_pattern_info(code_.get(), PCRE2_INFO_JITSIZE, &jit_size);
    has_jit_ = jit_size > 0;
  }

  std::uint32_t number(std::uint32_t what) const noexcept {
    std::uint32_t value = 0;
    pcre2_pattern_info(code_.get(), what, &value);
    return value;
  }

  // The names of `groups` groups, from the table (for each name: two bytes of the group's number, then
  // the name and a zero byte).
  std::vector<std::string> names(std::uint32_t groups) const {
    std::vector<std::string> names(groups);
    const std::uint32_t size = number(PCRE2_INFO_NAMEENTRYSIZE);
    PCRE2_SPTR entry = nullptr;
    pcre2_pattern_info(code_.get(), PCRE2_INFO_NAMETABLE, &entry);
    for (std::uint32_t left = number(PCRE2_INFO_NAMECOUNT); left > 0; --left, entry += size)
      names[entry[0] * 256U + entry[1] - 1] = reinterpret_cast<const char*>(entry + 2);
    return names;
  }

  int run(Scratch& scratch, std::string_view bytes, std::size_t from, std::uint32_t options) const noexcept {
    // An empty view may have a null pointer, which older versions of PCRE2 refuse.
    const auto* const data = reinterpret_cast<PCRE2_SPTR>(bytes.data() ? bytes.data() : "");
    if (!has_jit_) [[unlikely]]
      return pcre2_match(code_.get(), data, bytes.size(), from, options, scratch.match.get(),
                         scratch.context.get());
    // The JIT's own entry leaves out checks of its arguments.
    const int result = pcre2_jit_match(code_.get(), data, bytes.size(), from, options, scratch.match.get(),
                                       scratch.context.get());
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) [[unlikely]]
      return run_with_large_stack(scratch, data, bytes.size(), from, options);
    return result;
  }

 private:
  // A repeated group fills the small stack with a kilobyte of text. That is rare, so it may cost an
  // allocation, about 5 us.
  [[gnu::cold]] int run_with_large_stack(Scratch& scratch, PCRE2_SPTR data, std::size_t size,
                                         std::size_t from, std::uint32_t options) const noexcept {
    const std::unique_ptr<pcre2_jit_stack, Free> stack(
        pcre2_jit_stack_create(kFirstStack, kLargeStack, nullptr));
    if (!stack) return PCRE2_ERROR_NOMEMORY;
    pcre2_jit_stack_assign(scratch.context.get(), nullptr, stack.get());
    const int result =
        pcre2_jit_match(code_.get(), data, size, from, options, scratch.match.get(), scratch.context.get());
    pcre2_jit_stack_assign(scratch.context.get(), nullptr, nullptr);
    return result;
  }

  std::unique_ptr<pcre2_code, Free> code_;
  bool has_jit_ = false;  // without a JIT, or with (*NO_JIT) in the pattern, the interpreter does the work
};

}  // namespace

// PCRE2's own limit counts how often it goes on to a next item, for each place where a match may begin. An
// item that repeats passes over any number of bytes between two counts. So the limit bounds the time only if
// the count is divided by the bytes and the places. Where the quotient is too small for an honest search, a
// second copy of the pattern decides: it calls count_step() before each item, and takes about ten times as
// long.
struct Regex::Code {
  Code(std::string_view pattern, const Options& options)
      : fast(pattern, compile_options(options.extent)),
        counting(pattern, compile_options(options.extent) | PCRE2_AUTO_CALLOUT),
        groups(fast.number(PCRE2_INFO_CAPTURECOUNT)),
        names(fast.names(groups)),
        max_steps(options.max_steps),
        cost(1 + longest_repetition(pattern) / kBytesPerStep),
        is_anchored(options.extent == Extent::whole),
        required(find_required()) {}

  int run(Scratch& scratch, std::string_view bytes, std::size_t from, std::uint32_t options) const noexcept;
  [[gnu::cold]] int run_counting(Scratch& scratch, std::string_view bytes, std::size_t from,
                                 std::uint32_t options) const noexcept;

  CompiledPattern fast;
  CompiledPattern counting;
  std::uint32_t groups;
  std::vector<std::string> names;
  std::uint32_t max_steps;
  std::size_t cost;  // of each step at least
  bool is_anchored;  // a match begins at the first byte only
  std::optional<char> required;

 private:
  std::optional<char> find_required() const noexcept;
};

// PCRE2 looks for its last literal before a search too, but not in a search for partial matches. PCRE2
// does not tell whether the literal may occur in both cases. So the result is never a letter or a byte beyond
// ASCII.
std::optional<char> Regex::Code::find_required() const noexcept {
  const std::uint32_t byte = fast.number(PCRE2_INFO_LASTCODEUNIT);
  if (fast.number(PCRE2_INFO_LASTCODETYPE) == 0 || byte >= 0x80) return std::nullopt;
  const char c = static_cast<char>(byte);
  return is_alpha(c) ? std::nullopt : std::optional(c);
}

[[gnu::hot]] int Regex::Code::run(Scratch& scratch, std::string_view bytes, std::size_t from,
                                  std::uint32_t options) const noexcept {
  const std::size_t starts = is_anchored ? 1 : bytes.size() - from + 1;
  const std::size_t limit = max_steps / starts / (bytes.size() / kBytesPerStep + 1);
  if (limit > 0) [[likely]] {
    pcre2_set_match_limit(scratch.context.get(), static_cast<std::uint32_t>(limit));
    const int result = fast.run(scratch, bytes, from, options);
    if (result != PCRE2_ERROR_MATCHLIMIT) [[likely]]
      return result;
  }
  return run_counting(scratch, bytes, from, options);
}

int Regex::Code::run_counting(Scratch& scratch, std::string_view bytes, std::size_t from,
                              std::uint32_t options) const noexcept {
  StepCounter counter{max_steps + kStepsPerByte * bytes.size(), cost,
                      counting.number(PCRE2_INFO_BACKREFMAX) > 0};
  pcre2_match_context* const context = scratch.context.get();
  pcre2_set_match_limit(context, std::numeric_limits<std::uint32_t>::max());
  pcre2_set_callout(context, &count_step, &counter);
  const int result = counting.run(scratch, bytes, from, options);
  pcre2_set_callout(context, nullptr, nullptr);
  return result;
}

[[gnu::cold]] Regex::Regex(std::string_view pattern, const Options& options)
    : code_(std::make_unique<Code>(pattern, options)) {}

Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

std::size_t Regex::groups() const noexcept { return code_->groups; }
std::optional<char> Regex::required_byte() const noexcept { return code_->required; }
std::span<const std::string> Regex::group_names() const noexcept { return code_->names; }
std::size_t Regex::named_groups() const noexcept { return code_->fast.number(PCRE2_INFO_NAMECOUNT); }

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

[[gnu::hot]] Regex::Outcome Regex::match(std::string_view text, std::span<Group> groups) const noexcept {
  assert(groups.size() >= code_->groups);
  Scratch& memory = scratch();
  if (!memory.reserve(code_->groups + 1)) return Outcome::too_complex;
  const int result = code_->run(memory, text, 0, 0);
  if (result == PCRE2_ERROR_NOMATCH) return Outcome::none;
  if (result < 0) [[unlikely]]
    return Outcome::too_complex;
  const PCRE2_SIZE* bounds = pcre2_get_ovector_pointer(memory.match.get());
  // PCRE2's JIT code leaves the groups behind the last matched group as they were.
  const auto matched = static_cast<std::size_t>(result) - 1;
  for (std::size_t i = 0; i < code_->groups; ++i) {
    bounds += 2;
    if (i < matched && bounds[0] != PCRE2_UNSET) {
      groups[i].emplace(text.data() + bounds[0], bounds[1] - bounds[0]);
    } else {
      groups[i].reset();
    }
  }
  return Outcome::match;
}

}  // namespace squall
