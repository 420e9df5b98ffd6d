#include <squall/web/locale/gettext_catalog.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/utf8.h>
#include <squall/web/locale/translation_error.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace squall::web::detail {
namespace {

constexpr std::uint32_t kMagic = 0x950412de;
constexpr std::uint32_t kSwappedMagic = 0xde120495;
constexpr std::size_t kHeadSize = 20;
constexpr std::size_t kTableEntrySize = 8;

// Numbers and strings of a catalog. Throws TranslationError for tables and strings beyond its end.
class MoReader {
 public:
  explicit MoReader(std::string_view bytes) : bytes_(bytes) {
    if (bytes.size() < kHeadSize) throw TranslationError("the file is too short for a .mo file");
    const std::uint32_t magic = number(0);
    if (magic != kMagic && magic != kSwappedMagic)
      throw TranslationError("the file does not begin as a .mo file");
    is_swapped_ = magic == kSwappedMagic;
    const std::uint32_t revision = number(4) >> 16;
    if (revision > 1)
      throw TranslationError(fmt::format("the .mo file has the unknown revision {}", revision));
    count_ = number(8);
    messages_ = table(12);
    translations_ = table(16);
  }

  std::size_t count() const noexcept { return count_; }
  std::string_view message(std::size_t index) { return string(messages_ + index * kTableEntrySize); }
  std::string_view translation(std::size_t index) { return string(translations_ + index * kTableEntrySize); }

 private:
  // Little-endian unless is_swapped_.
  std::uint32_t number(std::size_t at) const noexcept {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto byte = static_cast<unsigned char>(bytes_[at + (is_swapped_ ? i : 3 - i)]);
      value = value << 8 | byte;
    }
    return value;
  }
  std::size_t table(std::size_t at) const {
    const std::size_t offset = number(at);
    if (offset > bytes_.size() || count_ > (bytes_.size() - offset) / kTableEntrySize)
      throw TranslationError("a table of the .mo file goes beyond its end");
    return offset;
  }
  // No two strings share bytes in a sound file. Without this check many strings of one large text would take
  // quadratic time.
  std::string_view string(std::size_t entry) {
    const std::size_t size = number(entry);
    const std::size_t offset = number(entry + 4);
    if (offset > bytes_.size() || size > bytes_.size() - offset)
      throw TranslationError("a string of the .mo file goes beyond its end");
    total_ += size;
    if (total_ > bytes_.size()) throw TranslationError("the strings of the .mo file overlap");
    return bytes_.substr(offset, size);
  }

  std::string_view bytes_;
  bool is_swapped_ = false;
  std::size_t count_ = 0;
  std::size_t messages_ = 0;
  std::size_t translations_ = 0;
  std::size_t total_ = 0;  // bytes of all strings so far
};

// `UTF-8` of `text/plain; charset=UTF-8`; empty without one.
std::string_view charset_of(std::string_view content_type) noexcept {
  constexpr std::string_view kName = "charset=";
  const std::size_t at = content_type.find(kName);
  return at == content_type.npos ? std::string_view() : strip(content_type.substr(at + kName.size()));
}

// A file that xgettext has made, and nobody filled in, has the charset CHARSET.
bool is_readable(std::string_view charset) noexcept {
  constexpr std::string_view kNames[] = {"", "utf-8", "utf8", "ascii", "us-ascii", "charset"};
  return std::any_of(std::begin(kNames), std::end(kNames),
                     [&](std::string_view name) { return equals_ignoring_case(charset, name); });
}

}  // namespace

GettextCatalog::GettextCatalog(std::string bytes) : bytes_(std::move(bytes)) {
  MoReader reader(bytes_);
  entries_.reserve(reader.count());
  for (std::size_t i = 0; i < reader.count(); ++i) {
    const std::string_view message = reader.message(i);
    const std::string_view translation = reader.translation(i);
    if (message.empty()) {
      read_header(translation);
    } else {
      add(message, translation);
    }
  }
}

void GettextCatalog::add(std::string_view message, std::string_view translation) {
  const std::size_t end = std::min(message.find('\0'), message.size());
  for (const std::string_view text : {message, translation}) {
    if (!is_utf8(text))
      throw TranslationError(fmt::format("the message '{}' or its translation is not UTF-8",
                                         is_utf8(message) ? message.substr(0, end) : "?"));
  }
  entries_[message.substr(0, end)] = {translation, end < message.size()};
}

void GettextCatalog::read_header(std::string_view header) {
  while (!header.empty()) {
    const std::size_t end = std::min(header.find('\n'), header.size());
    const std::string_view line = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    const std::size_t colon = std::min(line.find(':'), line.size());
    const std::string_view name = strip(line.substr(0, colon));
    const std::string_view value = strip(line.substr(std::min(colon + 1, line.size())));
    if (equals_ignoring_case(name, "Plural-Forms")) rule_ = PluralRule(value);
    if (equals_ignoring_case(name, "Content-Type") && !is_readable(charset_of(value)))
      throw TranslationError(fmt::format(
          "the charset is {}: convert the .po file by `msgconv --to-code=UTF-8`", charset_of(value)));
  }
}

std::optional<std::string_view> GettextCatalog::find(std::string_view message) const {
  const auto found = entries_.find(message);
  if (found == entries_.end()) return std::nullopt;
  if (found->second.has_plural) return form_of(found->second, 1);
  return found->second.forms;
}

std::optional<std::string_view> GettextCatalog::find(std::string_view message, std::string_view,
                                                     std::int64_t count) const {
  const auto found = entries_.find(message);
  if (found == entries_.end() || !found->second.has_plural) return std::nullopt;
  return form_of(found->second, count);
}

std::optional<std::string_view> GettextCatalog::form_of(const Entry& entry, std::int64_t count) const {
  const std::optional<std::size_t> form = rule_.form_of(static_cast<std::uint64_t>(count));
  if (!form) return std::nullopt;
  std::string_view rest = entry.forms;
  for (std::size_t i = 0; i < *form; ++i) {
    const std::size_t end = rest.find('\0');
    if (end == rest.npos) return std::nullopt;
    rest.remove_prefix(end + 1);
  }
  return rest.substr(0, rest.find('\0'));
}

}  // namespace squall::web::detail
