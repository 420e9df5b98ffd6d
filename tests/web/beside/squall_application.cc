// The application of tornado_application.py with Squall, route by route: `squall_application FOLDER`, on a
// free port of 127.0.0.1. beside_test.py sends the same requests to both.
#include <squall/ioloop/base/log.h>
#include <squall/web.h>

#include <chrono>
#include <cstdint>
#include <exception>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

using namespace squall;

namespace {

struct Count {
  std::int64_t count = 0;
};

void to_json_text(web::JsonText& out, const Count& count) {
  out.text = fmt::format(R"({{"count": {}, "html": "</p>"}})", count.count);
}

void from_json_text(const web::JsonInput& in, Count& count) {
  const auto number = web::ArgumentConverter<std::int64_t>::convert(std::string(in.text));
  if (!number) throw web::JsonError("not a number");
  count.count = *number;
}

// A handler for clients that are not browsers.
class OpenHandler : public web::RequestHandler {
 public:
  void check_xsrf_cookie() override {}
};

class HelloHandler : public OpenHandler {
 public:
  void get() { write("Hello, world"); }
};

class HeadHandler : public OpenHandler {
 public:
  void get() { write("Hello, world"); }
  void head() { set_header("X-Verb", "head"); }
};

class ArgumentsHandler : public OpenHandler {
 public:
  void get() {
    for (const std::string& value : get_arguments("a")) write("a=" + value + "\n");
    write("b=" + get_argument("b", "nothing") + "\n");
    write("c=" + get_argument("c") + "\n");
  }
  void post() {
    write("query=" + get_query_argument("a", "nothing") + "\n");
    write("body=" + get_body_argument("a", "nothing") + "\n");
    write("last=" + get_argument("a") + "\n");
  }
};

class VerbsHandler : public OpenHandler {
 public:
  void post() { write("POST " + std::string(request().body())); }
  void put() { write("PUT " + std::string(request().body())); }
  void patch() { write("PATCH " + std::string(request().body())); }
  void delete_() { write("DELETE"); }
  void options() { set_status(204); }
};

class UserHandler : public OpenHandler {
 public:
  void get(std::int64_t id) { write(fmt::format("user {}", id)); }
};

class TextHandler : public OpenHandler {
 public:
  void get(std::string text) { write("<" + text + ">"); }
};

class DateHandler : public OpenHandler {
 public:
  void get(int year, std::optional<int> month) {
    write(fmt::format("year {} month {}", year, month ? std::to_string(*month) : "none"));
  }
};

class CookieHandler : public OpenHandler {
 public:
  void get() {
    write(get_cookie("theme").value_or("nothing"));
    set_cookie("theme", "dark; \"or\" light");
    clear_cookie("old");
  }
};

class SignHandler : public OpenHandler {
 public:
  void get() { set_signed_cookie("user", "alice"); }
};

class SignedHandler : public OpenHandler {
 public:
  void get() { write(get_signed_cookie("user").value_or("nobody")); }
};

class FormHandler : public web::RequestHandler {
 public:
  void get() { write(xsrf_form_html()); }
  void post() { write("posted " + get_argument("text", "nothing")); }
};

class MemberHandler : public OpenHandler {
 public:
  static constexpr bool authenticated = true;
  std::optional<std::string> get_current_user() { return get_signed_cookie("user"); }
  void get() { write("member"); }
  void post() { write("member"); }
};

class JsonHandler : public OpenHandler {
 public:
  void get() { write_json(Count{1}); }
  void post() { write_json(json_body<Count>()); }
};

class UploadHandler : public OpenHandler {
 public:
  void post() {
    write("title=" + get_body_argument("title", "nothing") + "\n");
    for (const http::HTTPFile& file : files("file"))
      write(fmt::format("{} {} {}\n", file.filename, file.content_type, file.body));
  }
};

class RedirectHandler : public OpenHandler {
 public:
  void get() { redirect("/hello?a=1#top"); }
  void post() { redirect("/hello", 303); }
};

class StatusHandler : public OpenHandler {
 public:
  void get(int status) { throw web::HTTPError(status); }
};

class SetStatusHandler : public OpenHandler {
 public:
  void get(int status) {
    set_status(status, "As <b>I</b> like");
    if (status != 204) write("body");
  }
};

class FailingHandler : public OpenHandler {
 public:
  void get() {
    write("half a page");
    set_header("X-Half", "1");
    throw std::runtime_error("secret");
  }
};

class InjectionHandler : public OpenHandler {
 public:
  void get() { set_header("X-Value", get_argument("value", "a\r\nb: c")); }
};

class LongHandler : public OpenHandler {
 public:
  void get() {
    for (int i = 0; i < 300; ++i) write(fmt::format("line {}\n", i));
  }
};

class PiecesHandler : public OpenHandler {
 public:
  Task<> get() {
    for (int i = 0; i < 3; ++i) {
      write(fmt::format("piece {}\n", i));
      co_await flush();
    }
  }
};

class RequestInfoHandler : public OpenHandler {
 public:
  void get() {
    write(fmt::format("{} {} {} {} {}", request().protocol(), request().host(), request().path(),
                      request().full_url(), request().headers().get("X-Twice")));
  }
};

std::vector<web::Rule> routes(const std::string& folder) {
  return {
      web::url<HelloHandler>("/hello"),
      web::url<HeadHandler>("/head"),
      web::url<ArgumentsHandler>("/arguments"),
      web::url<VerbsHandler>("/verbs"),
      web::url<UserHandler>(R"(/users/(\d+))"),
      web::url<TextHandler>("/text/(.*)"),
      web::url<DateHandler>(R"(/dates/(?P<year>\d+)(?:/(?P<month>\d+))?)"),
      web::url<CookieHandler>("/cookie"),
      web::url<SignHandler>("/sign"),
      web::url<SignedHandler>("/signed"),
      web::url<FormHandler>("/form"),
      web::url<MemberHandler>("/member"),
      web::url<JsonHandler>("/json"),
      web::url<UploadHandler>("/upload"),
      web::url<RedirectHandler>("/redirect"),
      web::redirect("/moved/(.*)", "/text/{0}"),
      web::url<StatusHandler>(R"(/status/(\d+))"),
      web::url<SetStatusHandler>(R"(/set_status/(\d+))"),
      web::url<FailingHandler>("/failing"),
      web::url<InjectionHandler>("/injection"),
      web::url<LongHandler>("/long"),
      web::url<PiecesHandler>("/pieces"),
      web::url<RequestInfoHandler>("/info"),
      web::url<web::StaticFileHandler>("/static/(.*)", folder, "index.html"),
  };
}

}  // namespace

int main(int, char** argv) {
  log::enable_pretty_logging();
  try {
    IOLoop loop;
    web::Settings settings;
    settings.cookie_secret = "the secret of both applications";
    settings.xsrf_cookies = web::XsrfOptions();
    settings.login_url = "/login";
    settings.compress_response = web::CompressionOptions();
    settings.etag_min_size = 0;
    web::Application app(routes(argv[1]), settings);
    ListenOptions listen;
    listen.address = "127.0.0.1";
    http::HTTPServer& server = app.listen(0, listen);
    loop.spawn(drain_on_signals(server, std::chrono::seconds(0)));
    log::general().info("Serving on port {}", server.port());
    loop.start();
  } catch (const std::exception& error) {
    fmt::print(stderr, "squall_application: {}\n", error.what());
    return 1;
  }
  return 0;
}
