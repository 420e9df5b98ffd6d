#pragma once

#include <squall/ioloop/loop/task.h>

namespace squall::web {

class RequestHandler;
struct HandlerType;

// Reads the request's body and gives its pieces to the handler's data_received() (WEB-20 to WEB-25), until
// the body ends or the handler finishes the response. Reads nothing if the response is finished already, and
// nothing for a method without a verb, whose request is about to be refused.
//
// If the rest of the body is not delivered although the client is there, calls on_connection_close(): the
// connection will close.
//
// Lifetime:  borrows both until the task ends.
// Errors:    as RequestInput::read_body(), and the handler's exceptions.
Task<> deliver_body(RequestHandler& handler, const HandlerType& type);

}  // namespace squall::web
