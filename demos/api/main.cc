// demos/api/main.cc -- an API for notes in JSON, which /openapi.json describes, and a page that explains it.
#include <squall/ioloop/base/log.h>
#include <squall/options/option_parser.h>
#include <squall/web.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "notes.h"

using namespace squall;
using namespace std::chrono_literals;
using api::InvalidFields;
using api::Note;
using api::Notes;
using nlohmann::json;

namespace {

// All errors are JSON (RFC 9457), and name the fields or arguments that are wrong.
class ApiHandler : public web::RequestHandler {
 public:
  void initialize(Notes& notes) { notes_ = &notes; }

 protected:
  void write_error(int status) override {
    json problem = {{"status", status}, {"title", http::reason_phrase(status)}};
    try {
      if (error()) std::rethrow_exception(error());
    } catch (const InvalidFields& invalid) {
      for (const InvalidFields::Error& wrong : invalid.errors())
        problem["errors"].push_back({{"field", wrong.field}, {"message", wrong.message}});
    } catch (const web::InvalidArgumentError& invalid) {
      problem["errors"].push_back({{"field", invalid.name()}, {"message", "has a wrong value"}});
    } catch (...) {
      // The framework has logged it, and the client gets its status.
    }
    set_header("Content-Type", "application/problem+json");
    write(problem.dump());
  }

  Notes& notes() noexcept { return *notes_; }

 private:
  Notes* notes_ = nullptr;
};

class NotesHandler : public ApiHandler {
 public:
  void get() {
    const int limit = argument<int>("limit", 20);
    if (limit < 1 || limit > 100) throw InvalidFields("limit", "must be from 1 to 100");
    const Notes::Page page = notes().list(argument<std::int64_t>("after", 0), static_cast<std::size_t>(limit),
                                          argument("tag", ""));
    json answer = {{"notes", json::array()}, {"next", nullptr}};
    for (const Note* note : page.notes) answer["notes"].push_back(as_json(*note));
    if (page.next) answer["next"] = *page.next;
    write_json(answer);
  }
  // A page of another site cannot send JSON without the permission of CORS, so this needs no XSRF token.
  void post() {
    Note note;
    update(note, json_body<json>(), api::Absent::is_default);
    note = notes().add(std::move(note));
    set_status(201);
    set_header("Location", reverse_url("note", note.id));
    write_json(as_json(note));
  }
};

class NoteHandler : public ApiHandler {
 public:
  void get(std::int64_t id) { write_json(as_json(notes().get(id))); }
  void put(std::int64_t id) { change(id, api::Absent::is_default); }
  void patch(std::int64_t id) { change(id, api::Absent::is_kept); }
  void delete_(std::int64_t id) {
    notes().remove(id);
    set_status(204);
  }

 private:
  void change(std::int64_t id, api::Absent absent) {
    Note& note = notes().get(id);
    update(note, json_body<json>(), absent);
    write_json(as_json(note));
  }
};

struct Options {
  std::uint16_t port = 8888;
  ListenOptions listen;
  std::string pages = API_PAGES;
  std::vector<std::string> origins;
  int rate = 300;
  bool lists_routes = false;
};

std::vector<web::Rule> make_routes(Notes& notes, const Options& options) {
  web::CORS::Options cors;
  cors.origins = options.origins;
  cors.request_headers = {"Content-Type"};
  cors.exposed_headers = {"Location", "RateLimit", "RateLimit-Policy", "Retry-After", "X-Request-Id"};
  web::RateLimit::Options rate;
  rate.requests = options.rate;
  std::vector<web::Rule> routes =
      web::with_middleware({web::CORS(cors), web::RateLimit(rate)},
                           {web::url<NotesHandler>("/notes", std::ref(notes)),
                            web::url<NoteHandler>(R"(/notes/(?<id>\d+))", std::ref(notes)).named("note"),
                            web::url<web::StaticFileHandler>(R"(/(openapi\.json))", options.pages)});
  routes.push_back(web::url<web::StaticFileHandler>("/()", options.pages, "index.html"));
  routes.push_back(web::url<web::StaticFileHandler>(R"(/static/(?<file>[\w.]+))", options.pages));
  return routes;
}

void serve(const Options& options) {
  IOLoop loop;
  Notes notes;
  notes.add({.title = "Read me",
             .text = "These notes are in memory: they end with the program.",
             .tags = {"help"}});
  notes.add({.title = "Buy apples", .tags = {"shopping", "fruit"}, .pinned = true});
  std::vector<web::Rule> routes = make_routes(notes, options);
  if (options.lists_routes) {
    for (const web::Rule& route : routes)
      fmt::print("{} {}\n", route.pattern(), web::allowed_methods(route.factory()->type()));
    return;
  }
  web::Settings settings;
  settings.error_format = web::ErrorFormat::json;
  settings.middleware = {web::RequestID(), web::SecurityHeaders()};
  web::Application app(std::move(routes), settings);
  http::HTTPServer& server = app.listen(options.port, options.listen);
  log::general().info("Serving on port {}", server.port());
  loop.spawn(drain_on_signals(server, 5s));
  loop.start();
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  options::OptionParser line("api", "Serves an API for notes in JSON, and a page that explains it.");
  line.bind("port", options.port, "port to serve on");
  line.bind("address", options.listen.address, "address to serve on; all interfaces without it");
  line.bind("pages", options.pages, "folder of the pages and of openapi.json");
  line.bind("origin", options.origins, "sites whose scripts may use the API, such as https://app.example");
  line.bind("rate", options.rate, "requests a minute for each client").in_range(1, 1'000'000);
  line.bind("routes", options.lists_routes, "list the routes and their methods, and end");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    adopt_sockets();  // of squall-watch or systemd
    serve(options);
  } catch (const std::exception& error) {
    fmt::print(stderr, "api: {}\n", error.what());
    return 1;
  }
  return 0;
}
