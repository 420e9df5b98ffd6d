#include <squall/web/handler/request_input.h>

#include <squall/http/message/form.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/utf8.h>
#include <squall/web/handler/file_saver.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace squall::web {
// Each part is parsed at its first use.
struct RequestInput::Parsed : Pooled {
  std::optional<http::QueryArguments> query;
  std::optional<http::Form> form;
  std::optional<http::QueryArguments> cookies;
};

RequestInput::RequestInput() = default;
RequestInput::~RequestInput() = default;

RequestInput::Parsed& RequestInput::parsed() {
  if (!parsed_) parsed_ = std::make_unique<Parsed>();
  return *parsed_;
}

const http::QueryArguments& RequestInput::parsed_query() {
  std::optional<http::QueryArguments>& query = parsed().query;
  if (!query) query = http::parse_query(request().query(), settings().max_arguments);
  if (!query) throw HTTPError(400, "Too many arguments in the query");
  return *query;
}

const http::Form& RequestInput::parsed_form() {
  std::optional<http::Form>& form = parsed().form;
  if (form) return *form;
  http::Form parsed;
  const std::string fault = http::parse_form(request().headers(), request().body(), parsed,
                                             settings().multipart, settings().max_arguments);
  if (!fault.empty()) throw HTTPError(400, fmt::format("Invalid body: {}", fault));
  return form.emplace(std::move(parsed));
}

// ---- The path.

std::vector<std::optional<std::string>> RequestInput::path_args() {
  std::vector<std::optional<std::string>> values;
  for (const PathGroups::Text& text : *groups_)
    values.push_back(text ? std::optional(path_value<std::string>(text)) : std::nullopt);
  return values;
}

const PathGroups::Text& RequestInput::group(std::string_view name) const {
  const std::optional<std::size_t> index = groups_->index_of(name);
  if (!index) throw std::out_of_range(fmt::format("the route has no group '{}'", name));
  return (*groups_)[*index];
}

const PathGroups::Text& RequestInput::group(std::size_t index) const {
  if (index >= groups_->size())
    throw std::out_of_range(
        fmt::format("the route has {} groups, and none at index {}", groups_->size(), index));
  return (*groups_)[index];
}

// ---- Arguments.

std::string RequestInput::decode_argument(std::string bytes, std::string_view name) {
  if (is_utf8(bytes)) return bytes;
  throw HTTPError(400, fmt::format("Invalid unicode in {}: {}", name.empty() ? "url" : name,
                                   std::string_view(bytes).substr(0, 40)));
}

std::string RequestInput::clean(std::string_view name, const std::string& value, Blanks blanks) {
  std::string text = decode_argument(value, name);
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x08 || (byte >= 0x0e && byte <= 0x1f)) c = ' ';
  }
  return blanks == Blanks::kept ? text : std::string(strip(text));
}

std::optional<std::string> RequestInput::find_argument(Source source, std::string_view name, Blanks blanks) {
  const auto last_of = [&](const http::QueryArguments& from) -> std::optional<std::string> {
    const auto found =
        std::find_if(from.rbegin(), from.rend(), [name](const auto& pair) { return pair.first == name; });
    if (found == from.rend()) return std::nullopt;
    return clean(name, found->second, blanks);
  };
  std::optional<std::string> value;
  if (source != Source::query) value = last_of(parsed_form().arguments);
  if (source != Source::body && !value) value = last_of(parsed_query());
  return value;
}

std::vector<std::string> RequestInput::find_arguments(Source source, std::string_view name, Blanks blanks) {
  std::vector<std::string> values;
  const auto collect = [&](const http::QueryArguments& from) {
    for (const auto& [key, value] : from)
      if (key == name) values.push_back(clean(name, value, blanks));
  };
  if (source != Source::body) collect(parsed_query());
  if (source != Source::query) collect(parsed_form().arguments);
  return values;
}

std::string RequestInput::get_argument(std::string_view name, Blanks blanks) {
  return detail::convert_argument<std::string>(name, find_argument(Source::both, name, blanks));
}

std::string RequestInput::get_argument(std::string_view name, std::string_view otherwise, Blanks blanks) {
  return find_argument(Source::both, name, blanks).value_or(std::string(otherwise));
}

std::vector<std::string> RequestInput::get_arguments(std::string_view name, Blanks blanks) {
  return find_arguments(Source::both, name, blanks);
}

std::string RequestInput::get_query_argument(std::string_view name, Blanks blanks) {
  return detail::convert_argument<std::string>(name, find_argument(Source::query, name, blanks));
}

std::string RequestInput::get_query_argument(std::string_view name, std::string_view otherwise,
                                             Blanks blanks) {
  return find_argument(Source::query, name, blanks).value_or(std::string(otherwise));
}

std::vector<std::string> RequestInput::get_query_arguments(std::string_view name, Blanks blanks) {
  return find_arguments(Source::query, name, blanks);
}

std::string RequestInput::get_body_argument(std::string_view name, Blanks blanks) {
  return detail::convert_argument<std::string>(name, find_argument(Source::body, name, blanks));
}

std::string RequestInput::get_body_argument(std::string_view name, std::string_view otherwise,
                                            Blanks blanks) {
  return find_argument(Source::body, name, blanks).value_or(std::string(otherwise));
}

std::vector<std::string> RequestInput::get_body_arguments(std::string_view name, Blanks blanks) {
  return find_arguments(Source::body, name, blanks);
}

// ---- Cookies and files.

const http::QueryArguments& RequestInput::cookies() {
  std::optional<http::QueryArguments>& cookies = parsed().cookies;
  if (!cookies) cookies = request().cookies();
  return *cookies;
}

std::optional<std::string> RequestInput::get_cookie(std::string_view name) {
  for (const auto& [key, value] : cookies())
    if (key == name) return value;
  return std::nullopt;
}

std::string RequestInput::get_cookie(std::string_view name, std::string_view otherwise) {
  return get_cookie(name).value_or(std::string(otherwise));
}

std::vector<http::HTTPFile> RequestInput::files(std::string_view name) {
  std::vector<http::HTTPFile> found;
  for (const http::HTTPFile& file : files())
    if (file.name == name) found.push_back(file);
  return found;
}

const http::HTTPFile& RequestInput::file(std::string_view name) {
  const std::vector<http::HTTPFile>& all = files();
  const auto found =
      std::find_if(all.rbegin(), all.rend(), [name](const auto& file) { return file.name == name; });
  if (found == all.rend()) throw MissingArgumentError(std::string(name));
  return *found;
}

// ---- The body as it arrives.

Task<std::uint64_t> RequestInput::save_body_to(std::string path) {
  FileSaver file;
  co_await file.open(std::move(path));
  for (;;) {
    const std::string_view piece = co_await read_body();
    if (piece.empty()) break;
    co_await file.append(piece);
  }
  co_return co_await file.keep();
}

}  // namespace squall::web
