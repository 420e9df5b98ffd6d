#include <squall/web/router.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <stdexcept>
#include <utility>

namespace squall::web {
namespace {

// The path that a pattern without anything special in it stands for.
std::optional<std::string> literal_of(std::string_view pattern) {
  std::string literal;
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    char c = pattern[i];
    if (c == '\\') {
      if (++i == pattern.size()) return std::nullopt;
      c = pattern[i];
      const bool is_class = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      if (is_class) return std::nullopt;
    } else if (std::strchr("^$.|?*+()[]{}", c)) {
      return std::nullopt;
    }
    literal += c;
  }
  return literal;
}

// Without the anchors, which are implied.
std::string_view core_of(std::string_view pattern) {
  if (pattern.starts_with('^')) pattern.remove_prefix(1);
  if (pattern.ends_with('$') && !pattern.ends_with("\\$")) pattern.remove_suffix(1);
  return pattern;
}

void check_parameters(const Rule& rule, std::size_t groups) {
  const HandlerType& type = rule.factory().type();
  for (std::size_t i = 0; i < http::kMethodCount; ++i) {
    // A verb without parameters takes no groups, whatever the pattern has.
    if (!type.verbs[i] || type.parameters[i] == 0 || static_cast<std::size_t>(type.parameters[i]) == groups)
      continue;
    throw std::invalid_argument(
        fmt::format("route '{}' has {} groups, but its handler's {} takes {} parameters", rule.pattern(),
                    groups, http::method_name(static_cast<http::Method>(i)), type.parameters[i]));
  }
}

}  // namespace

// A compiled regular expression, with the memory for its matches.
class Router::Pattern {
 public:
  explicit Pattern(std::string_view pattern) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    code_.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                              PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOLLAR_ENDONLY, &error, &offset,
                              nullptr));
    if (!code_) {
      PCRE2_UCHAR message[256];
      pcre2_get_error_message(error, message, sizeof message);
      throw std::invalid_argument(fmt::format("route '{}' is no regular expression: {} at {}", pattern,
                                              reinterpret_cast<const char*>(message), offset));
    }
    // Where there is no JIT the interpreter serves.
    has_jit_ = pcre2_jit_compile(code_.get(), PCRE2_JIT_COMPLETE) == 0;
    match_.reset(pcre2_match_data_create_from_pattern(code_.get(), nullptr));
    context_.reset(pcre2_match_context_create(nullptr));
    if (!match_ || !context_) throw std::bad_alloc();
    // A pattern with catastrophic backtracking costs a bounded time, and does not match.
    pcre2_set_match_limit(context_.get(), kMatchLimit);
  }

  std::size_t groups() const { return number(PCRE2_INFO_CAPTURECOUNT); }
  std::size_t named_groups() const { return number(PCRE2_INFO_NAMECOUNT); }

  bool match(std::string_view path, std::vector<std::optional<std::string_view>>& groups) {
    int count = run(path);
    if (count == PCRE2_ERROR_JIT_STACKLIMIT) count = run_with_more_stack(path);
    if (count < 0) return false;
    const PCRE2_SIZE* const bounds = pcre2_get_ovector_pointer(match_.get());
    const std::size_t total = pcre2_get_ovector_count(match_.get());
    groups.clear();
    for (std::size_t i = 1; i < total; ++i) {
      if (bounds[2 * i] == PCRE2_UNSET) {
        groups.emplace_back();
      } else {
        groups.emplace_back(path.substr(bounds[2 * i], bounds[2 * i + 1] - bounds[2 * i]));
      }
    }
    return true;
  }

 private:
  static constexpr std::uint32_t kMatchLimit = 100'000;
  // For a path of 64 KiB, what all but contrived patterns need; a match that needs more is none.
  static constexpr std::size_t kMoreStack = 8 * 1024 * 1024;

  int run(std::string_view path) {
    // The JIT's own entry leaves out the checks that a compiled pattern makes needless.
    const auto match = has_jit_ ? &pcre2_jit_match : &pcre2_match;
    return match(code_.get(), reinterpret_cast<PCRE2_SPTR>(path.data()), path.size(), 0, 0, match_.get(),
                 context_.get());
  }

  // Compiled code has 32 KiB of the machine's stack, which a repeated group fills with a path of a kilobyte.
  // So rare a path can pay for memory of its own, some 5 us and what it touches of it.
  int run_with_more_stack(std::string_view path) {
    const std::unique_ptr<pcre2_jit_stack, Free> stack(
        pcre2_jit_stack_create(32 * 1024, kMoreStack, nullptr));
    if (!stack) throw std::bad_alloc();
    pcre2_jit_stack_assign(context_.get(), nullptr, stack.get());
    const int count = run(path);
    pcre2_jit_stack_assign(context_.get(), nullptr, nullptr);
    return count;
  }

  std::size_t number(std::uint32_t what) const {
    std::uint32_t value = 0;
    pcre2_pattern_info(code_.get(), what, &value);
    return value;
  }

  struct Free {
    void operator()(pcre2_code* code) const noexcept { pcre2_code_free(code); }
    void operator()(pcre2_match_data* match) const noexcept { pcre2_match_data_free(match); }
    void operator()(pcre2_match_context* context) const noexcept { pcre2_match_context_free(context); }
    void operator()(pcre2_jit_stack* stack) const noexcept { pcre2_jit_stack_free(stack); }
  };

  bool has_jit_ = false;
  std::unique_ptr<pcre2_code, Free> code_;
  std::unique_ptr<pcre2_match_data, Free> match_;
  std::unique_ptr<pcre2_match_context, Free> context_;
};

Router::Router(std::vector<Rule> rules) : rules_(std::move(rules)) {
  for (std::size_t i = 0; i < rules_.size(); ++i) {
    const std::string_view core = core_of(rules_[i].pattern());
    if (auto literal = literal_of(core)) {
      check_parameters(rules_[i], 0);
      literal_text_.push_back(std::make_unique<std::string>(std::move(*literal)));
      literals_.emplace(*literal_text_.back(), i);  // of several equal ones the first stays
      continue;
    }
    auto pattern = std::make_unique<Pattern>(core);
    const std::size_t groups = pattern->groups();
    if (pattern->named_groups() != 0 && pattern->named_groups() != groups)
      throw std::invalid_argument(
          fmt::format("route '{}' mixes named and unnamed groups", rules_[i].pattern()));
    check_parameters(rules_[i], groups);
    patterns_.push_back({i, std::move(pattern)});
  }
}

Router::~Router() = default;

[[gnu::hot]] Router::Match Router::match(std::string_view path) {
  const auto literal = literals_.find(path);
  const std::size_t limit = literal == literals_.end() ? rules_.size() : literal->second;
  for (PatternRule& rule : patterns_) {
    if (rule.index > limit) break;
    if (rule.pattern->match(path, groups_)) return {&rules_[rule.index], groups_};
  }
  return literal == literals_.end() ? Match() : Match{&rules_[limit], {}};
}

}  // namespace squall::web
