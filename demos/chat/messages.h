#pragma once

#include <squall/ioloop.h>

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

// A message by `name`, with its id and HTML. Both texts are UTF-8; the HTML has them escaped, and URLs of the
// body as links.
Message make_message(std::string name, std::string body);

// The last messages, and the clients that wait for the next one.
class Messages {
 public:
  static constexpr std::size_t kKept = 200;

  void add(Message message);
  // The messages behind the one whose id is `cursor`; all messages if none has that id.
  std::vector<Message> after(std::string_view cursor) const;
  // The HTML of all messages.
  std::string html() const;

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
