#include <squall/http/message/range.h>

#include <squall/http/message/date.h>
#include <squall/http/message/etag.h>
#include <squall/http/message/header_params.h>
#include <squall/ioloop/base/ascii.h>

#include <fmt/format.h>

#include <algorithm>
#include <limits>

namespace squall::http {
namespace {

constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();

// Reads digits alone (HUT-96). Without digits `number` stays nullopt; a number that is too large becomes
// the largest. False for malformed text.
bool read_number(std::string_view text, std::optional<std::int64_t>& number) noexcept {
  text = trim(text);
  if (text.empty()) return true;
  number = 0;
  for (const char c : text) {
    if (!is_digit(c)) return false;
    const int digit = c - '0';
    number = *number > (kMax - 1 - digit) / 10 ? kMax - 1 : *number * 10 + digit;
  }
  return true;
}

std::optional<RangeSpec> read_spec(std::string_view text) noexcept {
  const std::size_t hyphen = text.find('-');
  std::optional<std::int64_t> first;
  std::optional<std::int64_t> last;
  if (hyphen == text.npos) return trim(text).empty() ? std::optional(RangeSpec()) : std::nullopt;
  if (!read_number(text.substr(0, hyphen), first) || !read_number(text.substr(hyphen + 1), last))
    return std::nullopt;
  if (first) return RangeSpec{first, last ? std::optional(*last + 1) : std::nullopt};
  if (!last) return RangeSpec();
  if (*last == 0) return RangeSpec{std::nullopt, 0};
  return RangeSpec{-*last, std::nullopt};
}

// The text behind `bytes=`.
std::optional<std::string_view> bytes_of(std::string_view header) noexcept {
  const std::size_t equals = header.find('=');
  if (equals == header.npos || !equals_ignoring_case(trim(header.substr(0, equals)), "bytes"))
    return std::nullopt;
  return header.substr(equals + 1);
}

// The existing bytes of the range; nullopt if the representation has no byte of it.
std::optional<ByteRange> within(const RangeSpec& spec, std::uint64_t size) noexcept {
  ByteRange range{0, size};
  if (spec.end) range.end = std::min(size, static_cast<std::uint64_t>(*spec.end));
  if (spec.start && *spec.start >= 0) range.begin = static_cast<std::uint64_t>(*spec.start);
  if (spec.start && *spec.start < 0)
    range.begin = size - std::min(size, static_cast<std::uint64_t>(-*spec.start));
  if (range.begin >= range.end) return std::nullopt;
  return range;
}

std::optional<std::uint64_t> read_size(std::string_view text) noexcept {
  std::optional<std::int64_t> number;
  if (text.empty() || !std::all_of(text.begin(), text.end(), is_digit) || !read_number(text, number) ||
      *number >= kMax - 1)
    return std::nullopt;
  return static_cast<std::uint64_t>(*number);
}

}  // namespace

std::optional<RangeSpec> parse_range(std::string_view header) noexcept {
  const auto bytes = bytes_of(header);
  return bytes ? read_spec(*bytes) : std::nullopt;
}

RangeAnswer answer_range(const std::optional<RangeSpec>& range, std::uint64_t size) {
  if (!range || *range == RangeSpec()) return {};
  const auto part = within(*range, size);
  if (!part) return {RangeAnswer::Kind::unsatisfiable, {}};
  if (part->size() == size) return {};
  return {RangeAnswer::Kind::partial, {*part}};
}

RangeAnswer answer_ranges(std::string_view header, std::uint64_t size, std::size_t max_ranges) {
  const auto bytes = bytes_of(header);
  if (!bytes) return {};
  std::string_view rest = *bytes;
  std::vector<ByteRange> ranges;
  std::size_t asked = 0;
  while (const auto element = next_list_element(rest)) {
    const auto spec = read_spec(*element);
    if (++asked > max_ranges || !spec || *spec == RangeSpec()) return {};
    if (const auto part = within(*spec, size)) ranges.push_back(*part);
  }
  if (asked == 0) return {};
  if (ranges.empty()) return {RangeAnswer::Kind::unsatisfiable, {}};
  // There are at most max_ranges, so comparing each with all others is cheap.
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    for (std::size_t j = i + 1; j < ranges.size();) {
      if (ranges[j].begin > ranges[i].end || ranges[j].end < ranges[i].begin) {
        ++j;
        continue;
      }
      ranges[i] = {std::min(ranges[i].begin, ranges[j].begin), std::max(ranges[i].end, ranges[j].end)};
      ranges.erase(ranges.begin() + static_cast<std::ptrdiff_t>(j));
      j = i + 1;  // the merged range may touch earlier ones
    }
  }
  if (ranges.size() == 1 && ranges[0].size() == size) return {};
  return {RangeAnswer::Kind::partial, std::move(ranges)};
}

std::string format_content_range(const ByteRange& range, std::uint64_t size) {
  return fmt::format("bytes {}-{}/{}", range.begin, range.end - 1, size);
}

std::string format_content_range(std::uint64_t size) { return fmt::format("bytes */{}", size); }

std::optional<ContentRange> parse_content_range(std::string_view header) noexcept {
  const std::size_t space = header.find(' ');
  const std::size_t slash = header.find('/');
  if (space == header.npos || slash == header.npos || slash < space ||
      !equals_ignoring_case(header.substr(0, space), "bytes"))
    return std::nullopt;
  const std::string_view range = trim(header.substr(space, slash - space));
  const std::string_view total = trim(header.substr(slash + 1));
  ContentRange result;
  if (total != "*") {
    result.size = read_size(total);
    if (!result.size) return std::nullopt;
  }
  if (range == "*") return result.size ? std::optional(result) : std::nullopt;
  const std::size_t hyphen = std::min(range.find('-'), range.size());
  const auto first = read_size(range.substr(0, hyphen));
  const auto last = read_size(range.substr(std::min(hyphen + 1, range.size())));
  if (!first || !last || *last < *first || (result.size && *last >= *result.size)) return std::nullopt;
  result.range = ByteRange{*first, *last + 1};
  return result;
}

bool if_range_holds(std::string_view if_range, std::string_view etag,
                    std::optional<std::chrono::system_clock::time_point> last_modified) noexcept {
  if_range = trim(if_range);
  if (const auto tag = parse_etag(if_range)) {
    const auto own = parse_etag(etag);
    return own && strongly_equal(*tag, *own);
  }
  const auto date = parse_date(if_range);
  if (!date || !last_modified) return false;
  return *date == std::chrono::floor<std::chrono::seconds>(*last_modified);
}

}  // namespace squall::http
