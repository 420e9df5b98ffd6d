#pragma once

#include <squall/ioloop.h>
#include <squall/web.h>

#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

namespace chat {

struct Message {
  std::string id;  // a random UUID
  std::string name;
  std::string body;
  std::string html;  // the list item that the page shows
};

// A message by `name`, with its id, and the HTML that the handler's template `message.html` makes of it. Both
// texts are UTF-8.
Message make_message(squall::web::RequestHandler& handler, std::string name, std::string body);
// For templates.
void to_template_value(squall::web::TemplateValue& out, const Message& message);

// The last messages, and the clients that wait for the next one.
class Messages {
 public:
  static constexpr std::size_t kKept = 200;

  void add(Message message);
  // The messages behind the one whose id is `cursor`; all messages if none has that id.
  std::vector<Message> after(std::string_view cursor) const;
  const std::deque<Message>& all() const noexcept { return kept_; }

  // Wakes all clients, now and in future, although there is no message for them.
  void close();
  bool is_closed() const noexcept { return is_closed_; }
  // Notified by add() and close().
  squall::Condition& changed() noexcept { return changed_; }

 private:
  std::deque<Message> kept_;
  squall::Condition changed_;
  bool is_closed_ = false;
};

}  // namespace chat
