// demos/chat/main.cc -- a chat room: its pages get new messages by long polling, or over a WebSocket.
#include <squall/ioloop/base/log.h>
#include <squall/options/option_parser.h>
#include <squall/web.h>
#include <squall/websocket.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "chat_templates.h"
#include "messages.h"

using namespace squall;
using namespace std::chrono_literals;
using chat::Message;
using chat::Messages;
using nlohmann::json;

namespace {

constexpr std::size_t kMaxName = 60;
constexpr std::size_t kMaxBody = 4000;

json as_json(const Message& message) {
  return {{"id", message.id}, {"name", message.name}, {"body", message.body}, {"html", message.html}};
}

// The last messages, and the pages that are connected by WebSockets.
class Room {
 public:
  void join(websocket::WebSocketHandler& member) { members_.insert(&member); }
  void leave(websocket::WebSocketHandler& member) { members_.erase(&member); }
  // A member that cannot be told does not stop the others. The connection of a slow member is closed.
  void say(Message message) {
    const std::string text = as_json(message).dump();
    messages.add(std::move(message));
    for (websocket::WebSocketHandler* const member : members_) {
      try {
        member->post_message(text);
      } catch (const std::exception& error) {
        log::application().warning("Cannot send to a member: {}", error.what());
      }
    }
  }

  Messages messages;

 private:
  std::set<websocket::WebSocketHandler*> members_;
};

// Null for a message that is accepted.
const char* problem_of(std::string_view name, std::string_view body) {
  if (name.empty() || name.size() > kMaxName) return "the name is empty or too long";
  if (body.empty() || body.size() > kMaxBody) return "the message is empty or too long";
  return nullptr;
}

class PageHandler : public web::RequestHandler {
 public:
  void initialize(const Room& room, const std::string& transport) {
    room_ = &room;
    transport_ = transport;
  }
  void get() {
    set_header("Cache-Control", "no-store");
    render("index.html", {{"messages", room_->messages.all()}, {"transport", transport_}});
  }

 private:
  const Room* room_ = nullptr;
  std::string transport_;
};

class NewMessageHandler : public web::RequestHandler {
 public:
  void initialize(Room& room) { room_ = &room; }
  void post() {
    std::string name = get_argument("name", "Guest");
    std::string body = get_argument("body");
    const auto next = argument<std::optional<std::string>>("next");
    if (const char* const problem = problem_of(name, body)) throw web::HTTPError(400, problem);
    if (next && !is_local(*next)) throw web::HTTPError(400, "next is not a path of this site");
    Message message = chat::make_message(*this, std::move(name), std::move(body));
    // Without its script the page sends a form, and comes back.
    if (next) {
      redirect(*next);
    } else {
      write_json(as_json(message));
    }
    room_->say(std::move(message));
  }

 private:
  // Browsers take `//host` and `/\host` for another site, and drop tabs and line ends.
  static bool is_local(std::string_view path) {
    return path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\") &&
           std::none_of(path.begin(), path.end(),
                        [](char c) { return static_cast<unsigned char>(c) <= 0x20; });
  }

  Room* room_ = nullptr;
};

// Answers when there is a message behind the cursor. If the client leaves before, the task is destroyed
// where it waits.
class UpdatesHandler : public web::RequestHandler {
 public:
  void initialize(Messages& messages) { messages_ = &messages; }
  Task<> post() {
    const std::string cursor = get_argument("cursor", "");
    std::vector<Message> found = messages_->after(cursor);
    while (found.empty() && !messages_->is_closed()) {
      co_await messages_->changed().wait();
      found = messages_->after(cursor);
    }
    json answer;
    answer["messages"] = json::array();
    for (const Message& message : found) answer["messages"].push_back(as_json(message));
    write_json(answer);
  }

 private:
  Messages* messages_ = nullptr;
};

// The same messages over a WebSocket.
class ChatSocket : public websocket::WebSocketHandler {
 public:
  static constexpr bool keep_request = false;

  void initialize(Room& room) { room_ = &room; }
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
    std::string name = text_of(said, "name", "Guest");
    std::string body = text_of(said, "body", "");
    if (const char* const problem = problem_of(name, body)) {
      post_message(json{{"problem", problem}});
    } else {
      room_->say(chat::make_message(*this, std::move(name), std::move(body)));
    }
  }
  void on_close() { room_->leave(*this); }

 private:
  static std::string text_of(const json& said, const char* key, std::string otherwise) {
    if (!said.is_object() || !said.contains(key)) return otherwise;
    return said[key].is_string() ? said[key].get<std::string>() : "";
  }

  Room* room_ = nullptr;
};

// After SIGTERM the waiting clients are answered, so that the server can drain.
Task<> close_on_signal(IOLoop& loop, Messages& messages) {
  co_await loop.signal(SIGINT, SIGTERM);
  messages.close();
}

// Templates of the folder, which are read again when they change. Without a folder, those in the program.
std::shared_ptr<web::TemplateLoader> loader_of(const std::string& folder) {
  if (!folder.empty())
    return std::make_shared<web::TemplateLoader>(folder, web::TemplateOptions(),
                                                 web::TemplateChanges::noticed);
  return std::make_shared<web::TemplateLoader>(std::make_unique<web::EmbeddedTemplates>(kChatTemplates));
}

void serve(std::uint16_t port, const ListenOptions& listen, const std::string& pages,
           const std::string& templates) {
  IOLoop loop;
  Room room;
  web::Settings settings;
  settings.static_path = pages;
  settings.template_loader = loader_of(templates);
  for (const char* const name : {"index.html", "message.html"}) settings.template_loader->load(name);
  settings.xsrf_cookies = web::XsrfOptions();
  settings.middleware = {web::SecurityHeaders()};
  settings.websocket_ping_interval = 30s;
  web::Application app({web::url<PageHandler>("/", std::cref(room), "polling"),
                        web::url<PageHandler>("/websocket", std::cref(room), "websocket"),
                        web::url<ChatSocket>("/chatsocket", std::ref(room)),
                        web::url<NewMessageHandler>("/a/message/new", std::ref(room)),
                        web::url<UpdatesHandler>("/a/message/updates", std::ref(room.messages))},
                       settings);
  http::HTTPServer::Options options;
  options.max_body_size = 64 * 1024;
  // A browser that leaves ends its long poll at once.
  options.half_closed = http::HTTPServer::Options::HalfClosed::is_gone;
  http::HTTPServer& server = app.listen(port, listen, options);
  log::general().info("Serving on port {}", server.port());
  loop.spawn(close_on_signal(loop, room.messages));
  loop.spawn(drain_on_signals(server, 5s));
  loop.start();
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 8888;
  ListenOptions listen;
  std::string pages = CHAT_PAGES;
  std::string templates;
  options::OptionParser line("chat", "Serves a chat room, by long polling and WebSockets.");
  line.bind("port", port, "port to serve on");
  line.bind("address", listen.address, "address to serve on; all interfaces without it");
  line.bind("pages", pages, "folder of the page's style, script and icon");
  line.bind("templates", templates, "folder of index.html and message.html; those of the program without it");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    adopt_sockets();  // of squall-watch or systemd
    serve(port, listen, pages, templates);
  } catch (const std::exception& error) {
    fmt::print(stderr, "chat: {}\n", error.what());
    return 1;
  }
  return 0;
}
