#include <squall/web/stock/blocking.h>

#include <squall/http/message/percent_encoding.h>
#include <squall/http/message/url_text.h>
#include <squall/http/server/exchange.h>
#include <squall/http/server/function_delegate.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/process/run_in_executor.h>

#include <fmt/format.h>

#include <string_view>

namespace squall::web {
namespace {

BlockingRequest copy_of(const http::ServerRequest& request) {
  BlockingRequest copy;
  copy.method = request.method_name();
  copy.target = request.target();
  copy.path = http::percent_decode(request.path());
  copy.query = request.query();
  copy.protocol = request.protocol();
  copy.minor_version = request.minor_version();
  copy.host = request.host();
  copy.remote_ip = request.remote_ip();
  for (const auto [name, value] : request.headers()) copy.headers.emplace_back(name, value);
  copy.body = request.body();
  return copy;
}

Task<> answer_blocking(http::Exchange& exchange, std::shared_ptr<const BlockingFunction> function,
                       Executor* executor) {
  // The job shares the function: it may outlive the delegate.
  auto call = [function = std::move(function), request = copy_of(exchange.request())] {
    return (*function)(request);
  };
  Executor& chosen = executor ? *executor : IOLoop::current().default_executor();
  http::ServerResponse response = co_await run_in_executor(chosen, std::move(call));
  if (response.status != 304 && !response.headers.find("Content-Type"))
    response.headers.set("Content-Type", "text/html; charset=UTF-8");
  exchange.respond(response);
}

std::shared_ptr<http::ServerDelegate> make_blocking(BlockingFunction function, Executor* executor) {
  auto shared = std::make_shared<const BlockingFunction>(std::move(function));
  return std::make_shared<http::FunctionDelegate>(
      [shared = std::move(shared), executor](http::Exchange& exchange) {
        return answer_blocking(exchange, shared, executor);
      });
}

std::string variable_of(std::string_view name) {
  std::string variable = "HTTP_";
  for (const char c : name) variable += c == '-' ? '_' : c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return variable;
}

}  // namespace

std::shared_ptr<http::ServerDelegate> blocking(BlockingFunction function) {
  return make_blocking(std::move(function), nullptr);
}
std::shared_ptr<http::ServerDelegate> blocking(BlockingFunction function, Executor& executor) {
  return make_blocking(std::move(function), &executor);
}

std::map<std::string, std::string> cgi_variables(const BlockingRequest& request) {
  const auto port = http::split_host_and_port(request.host).second;
  std::map<std::string, std::string> variables{
      {"REQUEST_METHOD", request.method},
      {"SCRIPT_NAME", ""},
      {"PATH_INFO", request.path},
      {"QUERY_STRING", request.query},
      {"REMOTE_ADDR", request.remote_ip},
      {"SERVER_NAME", std::string(http::without_port(request.host))},
      {"SERVER_PORT", fmt::to_string(port.value_or(request.protocol == "https" ? 443 : 80))},
      {"SERVER_PROTOCOL", fmt::format("HTTP/1.{}", request.minor_version)},
      {"url_scheme", request.protocol},
  };
  for (const auto& [field, value] : request.headers) {
    if (field.find('_') != field.npos) continue;
    std::string variable = variable_of(field);
    if (variable == "HTTP_CONTENT_TYPE" || variable == "HTTP_CONTENT_LENGTH") variable.erase(0, 5);
    // A client must not set the variable that programs take for their proxy (CVE-2016-5385).
    if (variable == "HTTP_PROXY") continue;
    std::string& text = variables[std::move(variable)];
    if (!text.empty()) text += ',';
    text += value;
  }
  return variables;
}

}  // namespace squall::web
