#include <squall/web/static/mime_types.h>

#include <squall/ioloop/base/ascii.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace squall::web {
namespace {

struct ExtensionRow {
  std::string_view extension;
  std::string_view meaning;
};

// The types are those that IANA has registered, where it has.
constexpr ExtensionRow kTypes[] = {
    {"7z", "application/x-7z-compressed"},
    {"aac", "audio/aac"},
    {"ai", "application/postscript"},
    {"aif", "audio/aiff"},
    {"aiff", "audio/aiff"},
    {"apng", "image/apng"},
    {"atom", "application/atom+xml"},
    {"avi", "video/x-msvideo"},
    {"avif", "image/avif"},
    {"bmp", "image/bmp"},
    {"c", "text/plain"},
    {"css", "text/css"},
    {"csv", "text/csv"},
    {"doc", "application/msword"},
    {"docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"},
    {"eot", "application/vnd.ms-fontobject"},
    {"eps", "application/postscript"},
    {"epub", "application/epub+zip"},
    {"flac", "audio/flac"},
    {"geojson", "application/geo+json"},
    {"gif", "image/gif"},
    {"h", "text/plain"},
    {"heic", "image/heic"},
    {"htm", "text/html"},
    {"html", "text/html"},
    {"ico", "image/vnd.microsoft.icon"},
    {"ics", "text/calendar"},
    {"jpe", "image/jpeg"},
    {"jpeg", "image/jpeg"},
    {"jpg", "image/jpeg"},
    {"js", "text/javascript"},
    {"json", "application/json"},
    {"jsonld", "application/ld+json"},
    {"jxl", "image/jxl"},
    {"log", "text/plain"},
    {"m3u8", "application/vnd.apple.mpegurl"},
    {"m4a", "audio/mp4"},
    {"m4v", "video/mp4"},
    {"map", "application/json"},
    {"md", "text/markdown"},
    {"mjs", "text/javascript"},
    {"mkv", "video/x-matroska"},
    {"mov", "video/quicktime"},
    {"mp3", "audio/mpeg"},
    {"mp4", "video/mp4"},
    {"mpeg", "video/mpeg"},
    {"mpg", "video/mpeg"},
    {"odp", "application/vnd.oasis.opendocument.presentation"},
    {"ods", "application/vnd.oasis.opendocument.spreadsheet"},
    {"odt", "application/vnd.oasis.opendocument.text"},
    {"oga", "audio/ogg"},
    {"ogg", "audio/ogg"},
    {"ogv", "video/ogg"},
    {"opus", "audio/ogg"},
    {"otf", "font/otf"},
    {"pdf", "application/pdf"},
    {"png", "image/png"},
    {"ppt", "application/vnd.ms-powerpoint"},
    {"pptx", "application/vnd.openxmlformats-officedocument.presentationml.presentation"},
    {"ps", "application/postscript"},
    {"rss", "application/rss+xml"},
    {"rtf", "application/rtf"},
    {"sh", "application/x-sh"},
    {"svg", "image/svg+xml"},
    {"tar", "application/x-tar"},
    {"text", "text/plain"},
    {"tif", "image/tiff"},
    {"tiff", "image/tiff"},
    {"toml", "application/toml"},
    {"ts", "video/mp2t"},
    {"ttc", "font/collection"},
    {"ttf", "font/ttf"},
    {"txt", "text/plain"},
    {"vtt", "text/vtt"},
    {"wasm", "application/wasm"},
    {"wav", "audio/x-wav"},
    {"weba", "audio/webm"},
    {"webm", "video/webm"},
    {"webmanifest", "application/manifest+json"},
    {"webp", "image/webp"},
    {"woff", "font/woff"},
    {"woff2", "font/woff2"},
    {"xhtml", "application/xhtml+xml"},
    {"xls", "application/vnd.ms-excel"},
    {"xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    {"xml", "text/xml"},
    {"xsl", "text/xml"},
    {"yaml", "application/yaml"},
    {"yml", "application/yaml"},
    {"zip", "application/zip"},
};
constexpr ExtensionRow kEncodings[] = {
    {"br", "br"}, {"bz2", "bzip2"}, {"gz", "gzip"}, {"xz", "xz"}, {"z", "compress"}, {"zst", "zstd"},
};
// Abbreviations of two extensions: `tgz` is `tar.gz`.
struct ShortRow {
  std::string_view extension;
  std::string_view type;
  std::string_view encoding;
};
constexpr ShortRow kShort[] = {
    {"svgz", "image/svg+xml", "gzip"},      {"taz", "application/x-tar", "gzip"},
    {"tbz2", "application/x-tar", "bzip2"}, {"tgz", "application/x-tar", "gzip"},
    {"txz", "application/x-tar", "xz"},     {"tz", "application/x-tar", "gzip"},
};
// The first characters of an extension, in lower case, as a number: much faster to compare than text.
constexpr std::uint64_t key_of(std::string_view extension) noexcept {
  std::uint64_t key = 0;
  for (const char c : extension.substr(0, sizeof key))
    key = key << 8 | static_cast<unsigned char>(to_lower(c));
  return key;
}

struct KeyedRow {
  std::uint64_t key;
  ExtensionRow row;
};
template <std::size_t kCount>
constexpr std::array<KeyedRow, kCount> sorted_by_key(const ExtensionRow (&rows)[kCount]) {
  std::array<KeyedRow, kCount> keyed{};
  for (std::size_t i = 0; i < kCount; ++i) keyed[i] = {key_of(rows[i].extension), rows[i]};
  std::sort(keyed.begin(), keyed.end(), [](const KeyedRow& a, const KeyedRow& b) { return a.key < b.key; });
  return keyed;
}
constexpr auto kTypesByKey = sorted_by_key(kTypes);
constexpr auto kEncodingsByKey = sorted_by_key(kEncodings);
constexpr bool has_equal_keys(std::span<const KeyedRow> rows) noexcept {
  return std::adjacent_find(rows.begin(), rows.end(), [](const KeyedRow& a, const KeyedRow& b) {
           return a.key == b.key;
         }) != rows.end();
}
static_assert(!has_equal_keys(kTypesByKey) && !has_equal_keys(kEncodingsByKey));

// Takes the extension from the end of `name`; empty if it has none. The dots at the beginning of a name begin
// no extension.
std::string_view take_extension(std::string_view& name) noexcept {
  const std::size_t dot = name.rfind('.');
  if (dot == name.npos || name.find_first_not_of('.') > dot) return {};
  const std::string_view extension = name.substr(dot + 1);
  name = name.substr(0, dot);
  return extension;
}

std::string_view find_meaning(std::span<const KeyedRow> rows, std::string_view extension) noexcept {
  const auto found =
      std::lower_bound(rows.begin(), rows.end(), key_of(extension),
                       [](const KeyedRow& row, std::uint64_t wanted) { return row.key < wanted; });
  const bool is_found = found != rows.end() && equals_ignoring_case(found->row.extension, extension);
  return is_found ? found->row.meaning : std::string_view();
}

}  // namespace

MimeType guess_type(std::string_view path) noexcept {
  std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  const std::string_view last = take_extension(name);
  for (const ShortRow& row : kShort)
    if (equals_ignoring_case(row.extension, last)) return {row.type, row.encoding};
  const std::string_view encoding = find_meaning(kEncodingsByKey, last);
  if (encoding.empty()) return {find_meaning(kTypesByKey, last), {}};
  return {find_meaning(kTypesByKey, take_extension(name)), encoding};
}

std::string_view static_content_type(std::string_view path) noexcept {
  const MimeType guessed = guess_type(path);
  if (guessed.encoding == "gzip") return "application/gzip";
  if (!guessed.encoding.empty() || guessed.type.empty()) return "application/octet-stream";
  return guessed.type;
}

}  // namespace squall::web
