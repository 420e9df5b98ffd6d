#include <squall/web/escape/url_scanner.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/web/escape/character_class.h>
#include <squall/web/escape/code_point.h>

namespace squall::web::detail {
namespace {

using squall::detail::is_one_of;
using squall::detail::table;

constexpr bool is_space(char c) { return is_one_of(c, " \t\n\r\f\v\x1c\x1d\x1e\x1f"); }
constexpr bool is_word_or_hyphen(char c) { return is_alpha(c) || is_digit(c) || c == '_' || c == '-'; }

constexpr auto kIsPart = table([](char c) { return !is_space(c) && !is_one_of(c, "()<>'"); });
constexpr auto kIsLast =
    table([](char c) { return !is_space(c) && !is_one_of(c, "!\"#$%&'()*+,.:;<=>?@[]^`{|}~"); });

// A run of characters that a URL may have.
struct Run {
  std::size_t end;
  std::size_t last_end;  // behind the last character that a URL may end with; the run's begin if none
};

Run run_of_parts(std::string_view text, std::size_t at) noexcept {
  Run run{at, at};
  while (run.end < text.size()) {
    const auto byte = static_cast<unsigned char>(text[run.end]);
    if (byte < 0x80) {
      if (!kIsPart[byte]) break;
      ++run.end;
      if (kIsLast[byte]) run.last_end = run.end;
      continue;
    }
    const Character character = first_character(text.substr(run.end));
    if (is_unicode_space(character.code)) break;
    run.last_end = run.end += character.length;
  }
  return run;
}

// The end of the part of a URL behind its prefix: one or more of a run with a last character, and a run in
// parentheses. `begin` if the text has neither there.
std::size_t end_of_url(std::string_view text, std::size_t begin) noexcept {
  std::size_t end = begin;
  for (;;) {
    const Run run = run_of_parts(text, end);
    if (run.last_end != run.end) return run.last_end;
    end = run.end;
    if (end == text.size() || text[end] != '(') return end;
    const std::size_t close = run_of_parts(text, end + 1).end;
    if (close == text.size() || text[close] != ')') return end;
    end = close + 1;
  }
}

}  // namespace

std::size_t URLScanner::word_begin(std::size_t end) const noexcept {
  std::size_t begin = end;
  while (begin > from_ && is_word_or_hyphen(text_[begin - 1])) --begin;
  return begin;
}

bool URLScanner::is_behind_unicode_word(std::size_t at) const noexcept {
  if (at == 0 || static_cast<unsigned char>(text_[at - 1]) < 0x80) return false;
  std::size_t begin = at - 1;
  while (begin > 0 && at - begin < 4 && (text_[begin] & 0xC0) == 0x80) --begin;
  const Character character = first_character(text_.substr(begin, at - begin));
  return character.length == at - begin && is_unicode_word(character.code);
}

std::optional<FoundURL> URLScanner::with_protocol(std::size_t colon) const noexcept {
  std::size_t begin = word_begin(colon);
  const bool is_foreign = begin > from_ && is_behind_unicode_word(begin);
  // Without a word before it, a hyphen is no part of the protocol.
  while (!is_foreign && begin < colon && text_[begin] == '-') ++begin;
  if (begin == colon && !is_foreign) return std::nullopt;
  const std::size_t slashes = colon + 1;
  std::size_t rest = slashes;
  while (rest < text_.size() && rest - slashes < 3 && text_[rest] == '/') ++rest;
  if (rest == slashes) return std::nullopt;
  std::size_t end = end_of_url(text_, rest);
  if (end == rest) {
    // A slash may also be the rest of the URL.
    if (rest - slashes < 2) return std::nullopt;
    --rest;
  }
  return FoundURL{begin, end, text_.substr(begin, colon - begin), rest - begin, is_foreign};
}

std::optional<FoundURL> URLScanner::with_www(std::size_t dot) const noexcept {
  const std::size_t word = word_begin(dot);
  if (!text_.substr(word, dot - word).ends_with("www")) return std::nullopt;
  const std::size_t begin = dot - 3;
  const bool is_inside_word = begin > word ? text_[begin - 1] != '-' : is_behind_unicode_word(begin);
  if (is_inside_word) return std::nullopt;
  const std::size_t end = end_of_url(text_, dot + 1);
  if (end == dot + 1) return std::nullopt;
  return FoundURL{begin, end, {}, 0, false};
}

std::optional<FoundURL> URLScanner::next() noexcept {
  while ((at_ = text_.find_first_of(":.", at_)) != text_.npos) {
    const auto found = text_[at_] == ':' ? with_protocol(at_) : with_www(at_);
    if (found) {
      from_ = at_ = found->end;
      return found;
    }
    ++at_;
  }
  at_ = text_.size();
  return std::nullopt;
}

}  // namespace squall::web::detail
