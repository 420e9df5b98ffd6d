#include <squall/web/handler/request_handler.h>

#include <squall/http/message/form.h>
#include <squall/http/message/status.h>
#include <squall/ioloop/base/ascii.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/base/utf8.h>
#include <squall/web/escape/xhtml.h>
#include <squall/web/handler/call_and_log.h>
#include <squall/web/handler/handler_type.h>

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
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
struct RequestHandler::Arguments : Pooled {
  std::optional<http::QueryArguments> query;
  std::optional<http::Form> form;
};

RequestHandler::RequestHandler() = default;
RequestHandler::~RequestHandler() = default;

[[gnu::hot]] void RequestHandler::attach(const ApplicationContext& context, http::Exchange& exchange,
                                         const HandlerType& type) {
  context_ = &context;
  exchange_ = &exchange;
  type_ = &type;
}

// ---- Input.

RequestHandler::Arguments& RequestHandler::arguments() {
  if (!arguments_) arguments_ = std::make_unique<Arguments>();
  return *arguments_;
}

const http::QueryArguments& RequestHandler::query_arguments() {
  std::optional<http::QueryArguments>& query = arguments().query;
  if (!query) query = http::parse_query(request().query(), settings().max_arguments);
  if (!query) throw HTTPError(400, "Too many arguments in the query");
  return *query;
}

const http::QueryArguments& RequestHandler::body_arguments() {
  std::optional<http::Form>& form = arguments().form;
  if (form) return form->arguments;
  http::Form parsed;
  const std::string fault = http::parse_form(request().headers(), request().body(), parsed, {},
                                             settings().max_arguments);
  if (!fault.empty()) throw HTTPError(400, fmt::format("Invalid body: {}", fault));
  return form.emplace(std::move(parsed)).arguments;
}

std::string RequestHandler::clean(std::string_view name, std::string_view value) {
  if (!is_utf8(value))
    throw HTTPError(400, fmt::format("Invalid unicode in {}: {}", name, value.substr(0, 40)));
  std::string text(value);
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x08 || (byte >= 0x0e && byte <= 0x1f)) c = ' ';
  }
  return std::string(strip(text));
}

std::vector<std::string> RequestHandler::collect(const http::QueryArguments& from, std::string_view name) {
  std::vector<std::string> values;
  for (const auto& [key, value] : from)
    if (key == name) values.push_back(clean(name, value));
  return values;
}

std::optional<std::string> RequestHandler::last_of(const http::QueryArguments& from, std::string_view name) {
  const auto found =
      std::find_if(from.rbegin(), from.rend(), [name](const auto& pair) { return pair.first == name; });
  if (found == from.rend()) return std::nullopt;
  return clean(name, found->second);
}

std::string RequestHandler::get_query_argument(std::string_view name) {
  if (auto value = last_of(query_arguments(), name)) return std::move(*value);
  throw MissingArgumentError(std::string(name));
}

std::string RequestHandler::get_query_argument(std::string_view name, std::string_view otherwise) {
  return last_of(query_arguments(), name).value_or(std::string(otherwise));
}

std::vector<std::string> RequestHandler::get_query_arguments(std::string_view name) {
  return collect(query_arguments(), name);
}

std::string RequestHandler::get_body_argument(std::string_view name) {
  if (auto value = last_of(body_arguments(), name)) return std::move(*value);
  throw MissingArgumentError(std::string(name));
}

std::string RequestHandler::get_body_argument(std::string_view name, std::string_view otherwise) {
  return last_of(body_arguments(), name).value_or(std::string(otherwise));
}

std::vector<std::string> RequestHandler::get_body_arguments(std::string_view name) {
  return collect(body_arguments(), name);
}

std::string RequestHandler::get_argument(std::string_view name) {
  if (auto value = last_of(body_arguments(), name)) return std::move(*value);
  return get_query_argument(name);
}

std::string RequestHandler::get_argument(std::string_view name, std::string_view otherwise) {
  if (auto value = last_of(body_arguments(), name)) return std::move(*value);
  return get_query_argument(name, otherwise);
}

std::vector<std::string> RequestHandler::get_arguments(std::string_view name) {
  std::vector<std::string> values = get_query_arguments(name);
  for (std::string& value : get_body_arguments(name)) values.push_back(std::move(value));
  return values;
}

// ---- Output.

void RequestHandler::set_status(int status, std::string_view reason) {
  const bool sendable = is_field_text(reason) && reason.find('<') == reason.npos;
  exchange_->set_status(status, sendable ? reason : "Unknown");
}

[[gnu::hot]] void RequestHandler::write(std::string_view chunk) {
  if (finished()) throw std::logic_error("Cannot write() after finish()");
  exchange_->buffer().append(chunk);
}

WriteAwaiter RequestHandler::flush() {
  exchange_->write(exchange_->buffer());
  exchange_->buffer().clear();
  return exchange_->flush();
}

[[gnu::hot]] void RequestHandler::finish() {
  if (finished()) throw std::logic_error("finish() called twice");
  if (!exchange_->head_sent() && http::status_forbids_body(status())) [[unlikely]] {
    if (!exchange_->buffer().empty())
      throw std::logic_error(fmt::format("Cannot send body with {}", status()));
    for (const char* name : {"Content-Encoding", "Content-Language", "Content-Type"}) clear_header(name);
  }
  exchange_->finish(exchange_->buffer());
}

void RequestHandler::finish(std::string_view last) {
  write(last);
  finish();
}

void RequestHandler::clear() {
  exchange_->reset_head();
  exchange_->buffer().clear();
  set_default_headers();
}

// ---- Errors.

void RequestHandler::send_error(int status, std::string_view reason) {
  if (exchange_->head_sent()) {
    log::general().error("Cannot send error response after headers written");
    if (!finished()) exchange_->abort();
    return;
  }
  call_and_log("set_default_headers", [this] { clear(); });
  set_status(status, reason);
  if (status == 405) set_header("Allow", allowed_methods(*type_));
  call_and_log("write_error", [this, status] {
    try {
      if (status != 304) write_error(status);
    } catch (const Finish&) {
      // The page ends here.
    }
  });
  if (!finished()) finish();
}

[[gnu::cold]] void RequestHandler::write_error(int status) {
  const std::string_view reason =
      exchange_->reason().empty() ? http::reason_phrase(status) : std::string_view(exchange_->reason());
  const std::string title = fmt::format("{}: {}", status, xhtml_escape(reason));
  write(fmt::format("<html><title>{}</title><body>{}</body></html>", title, title));
}

}  // namespace squall::web
