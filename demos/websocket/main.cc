// demos/websocket/main.cc -- a chat room over WebSockets: messages, and who comes and goes, arrive at once.
#include <squall/ioloop/base/log.h>
#include <squall/web.h>
#include <squall/websocket.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "chat/messages.h"
#include "chat_templates.h"
#include "command_line.h"

using namespace squall;
using namespace std::chrono_literals;
using chat::Message;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxName = 60;
constexpr std::size_t kMaxBody = 4000;

json as_json(const Message& message) {
  return {{"id", message.id}, {"name", message.name}, {"body", message.body}, {"html", message.html}};
}

// The connections, and the last messages.
class Room {
 public:
  void join(websocket::WebSocketHandler& member) {
    members_.insert(&member);
    tell({{"people", members_.size()}});
  }
  void leave(websocket::WebSocketHandler& member) {
    members_.erase(&member);
    tell({{"people", members_.size()}});
  }
  void say(Message message) {
    tell(as_json(message));
    messages.add(std::move(message));
  }

  chat::Messages messages;

 private:
  // A member that cannot be told does not stop the others. The connection of a slow member is closed.
  void tell(const json& news) {
    const std::string text = news.dump();
    for (websocket::WebSocketHandler* const member : members_) {
      try {
        member->post_message(text);
      } catch (const std::exception& error) {
        log::application().warning("Cannot send to a member: {}", error.what());
      }
    }
  }

  std::set<websocket::WebSocketHandler*> members_;
};

class ChatSocket : public websocket::WebSocketHandler {
 public:
  static constexpr bool keep_request = false;

  void initialize(Room& room) { room_ = &room; }
  std::optional<websocket::DeflateOptions> get_compression_options() override {
    return websocket::DeflateOptions();
  }
  websocket::ConnectionOptions get_connection_options() override {
    websocket::ConnectionOptions options = WebSocketHandler::get_connection_options();
    options.max_message_size = 64 * 1024;
    return options;
  }

  // A page that connects again gets the messages behind its last one.
  void open() {
    for (const Message& missed : room_->messages.after(get_query_argument("after", "")))
      post_message(as_json(missed));
    room_->join(*this);
  }
  void on_message(std::string_view text) {
    const json said = json::parse(text, nullptr, false);
    std::string body = said.is_object() && said.contains("body") ? text_of(said["body"]) : "";
    std::string name = said.is_object() && said.contains("name") ? text_of(said["name"]) : "Guest";
    if (body.empty() || body.size() > kMaxBody || name.empty() || name.size() > kMaxName) {
      post_message(json{{"problem", "name or message is missing or too long"}});
    } else {
      room_->say(chat::make_message(*this, std::move(name), std::move(body)));
    }
  }
  void on_close() { room_->leave(*this); }

 private:
  static std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : ""; }

  Room* room_ = nullptr;
};

class PageHandler : public web::RequestHandler {
 public:
  void initialize(const std::string& page, const Room& room) {
    page_ = &page;
    room_ = &room;
  }
  void get() {
    std::string page = *page_;
    for (const std::string name : {"room.css", "room.js", "icon.svg"})
      replace_mark(page, "{" + name + "}", static_url(name));
    replace_mark(page, "{xsrf}", xsrf_form_html());
    // Last, because a message may have the text of a mark.
    std::string messages;
    for (const Message& message : room_->messages.all()) messages += message.html;
    replace_mark(page, "{messages}", messages);
    set_header("Cache-Control", "no-store");
    write(page);
  }

 private:
  static void replace_mark(std::string& page, std::string_view mark, std::string_view text) {
    page.replace(page.find(mark), mark.size(), text);
  }

  const std::string* page_ = nullptr;
  const Room* room_ = nullptr;
};

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

void serve(std::uint16_t port, const ListenOptions& listen, const std::string& pages) {
  const std::string page = read_file(pages + "/index.html");
  IOLoop loop;
  Room room;
  web::Settings settings;
  settings.static_path = pages;
  settings.template_loader =
      std::make_shared<web::TemplateLoader>(std::make_unique<web::EmbeddedTemplates>(kChatTemplates));
  settings.xsrf_cookies = web::XsrfOptions();
  settings.middleware = {web::SecurityHeaders()};
  settings.websocket_ping_interval = 30s;
  web::Application app({web::url<PageHandler>("/", std::cref(page), std::cref(room)),
                        web::url<ChatSocket>("/chatsocket", std::ref(room))},
                       settings);
  http::HTTPServer& server = app.listen(port, listen);
  log::general().info("Serving on port {}", server.port());
  loop.spawn(drain_on_signals(server, 5s));
  loop.start();
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 8888;
  ListenOptions listen;
  std::string pages = WEBSOCKET_PAGES;
  tools::CommandLine line("websocket", "Serves a chat room over WebSockets.");
  line.option("--port", port, "port to serve on").show_default();
  line.option("--address", listen.address, "address to serve on; all interfaces without it");
  line.option("--pages", pages, "folder of the page, its style and its script").show_default();
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    serve(port, listen, pages);
  } catch (const std::exception& error) {
    fmt::print(stderr, "websocket: {}\n", error.what());
    return 1;
  }
  return 0;
}
