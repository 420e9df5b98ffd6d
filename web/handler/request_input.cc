#include <squall/web/handler/request_input.h>

#include <squall/http/message/form.h>
#include <squall/ioloop/base/utf8.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace squall::web {
namespace {

std::string_view strip(std::string_view text) {
  constexpr std::string_view kBlank = " \t\n\r\f\v";
  const std::size_t begin = std::min(text.find_first_not_of(kBlank), text.size());
  return text.substr(begin, text.find_last_not_of(kBlank) + 1 - begin);
}

}  // namespace

// Parsed at the first use.
struct RequestInput::Arguments : Pooled {
  std::optional<http::QueryArguments> query;
  std::optional<http::Form> form;
};

RequestInput::RequestInput() = default;
RequestInput::~RequestInput() = default;

RequestInput::Arguments& RequestInput::arguments() {
  if (!arguments_) arguments_ = std::make_unique<Arguments>();
  return *arguments_;
}

const http::QueryArguments& RequestInput::query_arguments() {
  std::optional<http::QueryArguments>& query = arguments().query;
  if (!query) query = http::parse_query(request().query(), settings().max_arguments);
  if (!query) throw HTTPError(400, "Too many arguments in the query");
  return *query;
}

const http::QueryArguments& RequestInput::body_arguments() {
  std::optional<http::Form>& form = arguments().form;
  if (form) return form->arguments;
  http::Form parsed;
  const std::string fault =
      http::parse_form(request().headers(), request().body(), parsed, {}, settings().max_arguments);
  if (!fault.empty()) throw HTTPError(400, fmt::format("Invalid body: {}", fault));
  return form.emplace(std::move(parsed)).arguments;
}

std::string RequestInput::clean(std::string_view name, std::string_view value) {
  if (!is_utf8(value))
    throw HTTPError(400, fmt::format("Invalid unicode in {}: {}", name, value.substr(0, 40)));
  std::string text(value);
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x08 || (byte >= 0x0e && byte <= 0x1f)) c = ' ';
  }
  return std::string(strip(text));
}

std::vector<std::string> RequestInput::collect(const http::QueryArguments& from, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : from)
    if (key == name) values.push_back(clean(name, value));
  return values;
}

std::optional<std::string> RequestInput::last_of(const http::QueryArguments& from, std::string_view name) {
  const auto found =
      std::find_if(from.rbegin(), from.rend(), [name](const auto& pair) { return pair.first == name; });
  if (found == from.rend()) return std::nullopt;
  return clean(name, found->second);
}

std::string RequestInput::get_query_argument(std::string_view name) {
  if (auto value = last_of(query_arguments(), name)) return std::move(*value);
  throw MissingArgumentError(std::string(name));
}

std::string RequestInput::get_query_argument(std::string_view name, std::string_view otherwise) {
  return last_of(query_arguments(), name).value_or(std::string(otherwise));
}

std::vector<std::string> RequestInput::get_query_arguments(std::string_view name) {
  return collect(query_arguments(), name);
}

std::string RequestInput::get_body_argument(std::string_view name) {
  if (auto value = last_of(body_arguments(), name)) return std::move(*value);
  throw MissingArgumentError(std::string(name));
}

std::string RequestInput::get_body_argument(std::string_view name, std::string_view otherwise) {
  return last_of(body_arguments(), name).value_or(std::string(otherwise));
}

std::vector<std::string> RequestInput::get_body_arguments(std::string_view name) {
  return collect(body_arguments(), name);
}

std::string RequestInput::get_argument(std::string_view name) {
  if (auto value = last_of(body_arguments(), name)) return std::move(*value);
  return get_query_argument(name);
}

std::string RequestInput::get_argument(std::string_view name, std::string_view otherwise) {
  if (auto value = last_of(body_arguments(), name)) return std::move(*value);
  return get_query_argument(name, otherwise);
}

std::vector<std::string> RequestInput::get_arguments(std::string_view name) {
  std::vector<std::string> values = get_query_arguments(name);
  for (std::string& value : get_body_arguments(name)) values.push_back(std::move(value));
  return values;
}

}  // namespace squall::web
