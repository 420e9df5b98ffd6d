// The messages that wait for a slow receiver.

#include <squall/websocket/hub/waiting_messages.h>

#include <memory>
#include <string>

#include "support/catch.h"

namespace squall::websocket::waiting_messages_test {
namespace {

using WhenFull = QueueOptions::WhenFull;

SharedForms forms_of(std::string payload) {
  TopicMessage message;
  message.payload = std::make_shared<const std::string>(std::move(payload));
  return std::make_shared<const MessageForms>(std::make_shared<const TopicMessage>(std::move(message)));
}

// `y` for each of `0` to `4` that is accepted; then those that wait.
std::string add_five(WaitingMessages& waiting) {
  std::string text;
  for (int i = 0; i < 5; ++i) text += waiting.add(forms_of(std::to_string(i))) ? 'y' : 'n';
  text += ' ';
  while (!waiting.empty()) text += *waiting.take()->message().payload;
  return text;
}

WaitingMessages queue(WhenFull when_full, std::size_t max_messages = 3, std::size_t max_bytes = 1024) {
  QueueOptions options;
  options.when_full = when_full;
  options.max_messages = max_messages;
  options.max_bytes = max_bytes;
  return WaitingMessages(options);
}

TEST_CASE("a message that does not fit is treated by the policy, and counted", "[waiting_messages]") {
  WaitingMessages oldest = queue(WhenFull::drop_oldest);
  CHECK(add_five(oldest) == "yyyyy 234");
  CHECK(oldest.dropped() == 2);
  WaitingMessages newest = queue(WhenFull::drop_newest);
  CHECK(add_five(newest) == "yyyyy 012");
  CHECK(newest.dropped() == 2);
  WaitingMessages latest = queue(WhenFull::keep_latest);
  CHECK(add_five(latest) == "yyyyy 4");
  CHECK(latest.dropped() == 4);
  WaitingMessages close = queue(WhenFull::close);
  CHECK(add_five(close) == "yyynn 012");
  CHECK(close.dropped() == 2);
}

TEST_CASE("a message counts with 64 bytes beside its payload", "[waiting_messages]") {
  WaitingMessages waiting = queue(WhenFull::drop_oldest, 100, 2 * 65 + 1);
  CHECK(add_five(waiting) == "yyyyy 34");
}

TEST_CASE("a message that never fits drops no other", "[waiting_messages]") {
  WaitingMessages waiting = queue(WhenFull::drop_oldest, 3, 200);
  CHECK(waiting.add(forms_of("a")));
  CHECK(waiting.add(forms_of(std::string(1000, 'x'))));
  CHECK(waiting.size() == 1);
  CHECK(waiting.dropped() == 1);
  waiting.clear();
  CHECK(waiting.empty());
  CHECK(waiting.dropped() == 2);
}

}  // namespace
}  // namespace squall::websocket::waiting_messages_test
