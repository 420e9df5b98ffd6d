// demos/chat/main.cc -- a chat room: its pages get new messages by long polling.
#include <squall/ioloop/base/log.h>
#include <squall/options/option_parser.h>
#include <squall/web.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <fstream>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

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

void replace_mark(std::string& page, std::string_view mark, std::string_view text) {
  page.replace(page.find(mark), mark.size(), text);
}

class PageHandler : public web::RequestHandler {
 public:
  void initialize(const std::string& page, const Messages& messages) {
    page_ = &page;
    messages_ = &messages;
  }
  void get() {
    std::string page = *page_;
    for (const std::string name : {"chat.css", "chat.js", "icon.svg"})
      replace_mark(page, "{" + name + "}", static_url(name));
    replace_mark(page, "{xsrf}", xsrf_form_html());
    // Last, because a message may have the text of a mark.
    replace_mark(page, "{messages}", messages_->html());
    set_header("Cache-Control", "no-store");
    write(page);
  }

 private:
  const std::string* page_ = nullptr;
  const Messages* messages_ = nullptr;
};

class NewMessageHandler : public web::RequestHandler {
 public:
  void initialize(Messages& messages) { messages_ = &messages; }
  void post() {
    std::string name = get_argument("name", "Guest");
    std::string body = get_argument("body");
    const auto next = argument<std::optional<std::string>>("next");
    if (name.empty() || name.size() > kMaxName) throw web::HTTPError(400, "the name is empty or too long");
    if (body.empty() || body.size() > kMaxBody) throw web::HTTPError(400, "the message is empty or too long");
    if (next && !is_local(*next)) throw web::HTTPError(400, "next is not a path of this site");
    Message message = chat::make_message(std::move(name), std::move(body));
    // Without its script the page sends a form, and comes back.
    if (next) {
      redirect(*next);
    } else {
      write_json(as_json(message));
    }
    messages_->add(std::move(message));
  }

 private:
  // Browsers take `//host` and `/\host` for another site, and drop tabs and line ends.
  static bool is_local(std::string_view path) {
    return path.starts_with('/') && !path.starts_with("//") && !path.starts_with("/\\") &&
           std::none_of(path.begin(), path.end(),
                        [](char c) { return static_cast<unsigned char>(c) <= 0x20; });
  }

  Messages* messages_ = nullptr;
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

std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// After SIGTERM the waiting clients are answered, so that the server can drain.
Task<> close_on_signal(IOLoop& loop, Messages& messages) {
  co_await loop.signal(SIGINT, SIGTERM);
  messages.close();
}

void serve(std::uint16_t port, const ListenOptions& listen, const std::string& pages) {
  const std::string page = read_file(pages + "/index.html");
  IOLoop loop;
  Messages messages;
  web::Settings settings;
  settings.static_path = pages;
  settings.xsrf_cookies = web::XsrfOptions();
  settings.middleware = {web::SecurityHeaders()};
  web::Application app({web::url<PageHandler>("/", std::cref(page), std::cref(messages)),
                        web::url<NewMessageHandler>("/a/message/new", std::ref(messages)),
                        web::url<UpdatesHandler>("/a/message/updates", std::ref(messages))},
                       settings);
  http::HTTPServer::Options options;
  options.max_body_size = 64 * 1024;
  // A browser that leaves ends its long poll at once.
  options.half_closed = http::HTTPServer::Options::HalfClosed::is_gone;
  http::HTTPServer& server = app.listen(port, listen, options);
  log::general().info("Serving on port {}", server.port());
  loop.spawn(close_on_signal(loop, messages));
  loop.spawn(drain_on_signals(server, 5s));
  loop.start();
}

}  // namespace

int main(int argc, char** argv) {
  std::uint16_t port = 8888;
  ListenOptions listen;
  std::string pages = CHAT_PAGES;
  options::OptionParser line("chat", "Serves a chat room, by long polling.");
  line.bind("port", port, "port to serve on");
  line.bind("address", listen.address, "address to serve on; all interfaces without it");
  line.bind("pages", pages, "folder of the page, its style and its script");
  if (const std::optional<int> status = line.parse(argc, argv)) return *status;
  log::enable_pretty_logging();
  try {
    adopt_sockets();  // of squall-watch or systemd
    serve(port, listen, pages);
  } catch (const std::exception& error) {
    fmt::print(stderr, "chat: {}\n", error.what());
    return 1;
  }
  return 0;
}
