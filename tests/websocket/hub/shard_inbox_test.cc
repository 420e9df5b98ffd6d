// The messages that wait for a loop.

#include <squall/websocket/hub/shard_inbox.h>

#include <memory>
#include <string>

#include "support/catch.h"

namespace squall::websocket::shard_inbox_test {
namespace {

SharedForms forms_of(std::string payload) {
  TopicMessage message;
  message.payload = std::make_shared<const std::string>(std::move(payload));
  return std::make_shared<const MessageForms>(std::make_shared<const TopicMessage>(std::move(message)));
}

TEST_CASE("the loop is woken once for all messages that wait", "[shard_inbox]") {
  ShardInbox inbox(10, 1000);
  CHECK(inbox.push(forms_of("a")));
  CHECK_FALSE(inbox.push(forms_of("b")));
  CHECK(inbox.take().messages.size() == 2);
  CHECK(inbox.take().messages.empty());
  CHECK(inbox.push(forms_of("c")));
}

TEST_CASE("messages beyond the limits are lost, and the loop is told", "[shard_inbox]") {
  ShardInbox inbox(2, 10);
  inbox.push(forms_of("a"));
  inbox.push(forms_of("b"));
  inbox.push(forms_of("c"));
  const ShardInbox::Taken taken = inbox.take();
  CHECK(taken.messages.size() == 2);
  CHECK(taken.is_incomplete);
  CHECK(inbox.push(forms_of(std::string(11, 'x'))));
  CHECK(inbox.take().is_incomplete);
  inbox.push(forms_of("123456"));
  inbox.push(forms_of("12345"));
  CHECK(inbox.take().messages.size() == 1);
  CHECK_FALSE(inbox.take().is_incomplete);
}

}  // namespace
}  // namespace squall::websocket::shard_inbox_test
