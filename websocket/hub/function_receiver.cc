#include <squall/websocket/hub/function_receiver.h>

#include <squall/ioloop/base/log.h>

#include <exception>

namespace squall::websocket {

void FunctionReceiver::post(const MessageForms& forms, Form) {
  try {
    function_(forms.message());
  } catch (const std::exception& error) {
    log::application().error("Exception in a subscriber of {}: {}", forms.message().topic, error.what());
  } catch (...) {
    log::application().error("Exception in a subscriber of {}", forms.message().topic);
  }
}

}  // namespace squall::websocket
