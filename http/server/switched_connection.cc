#include <squall/http/server/switched_connection.h>

#include <squall/http/server/exchange.h>
#include <squall/http/server/server_connection.h>
#include <squall/http/server/switched_connections.h>

namespace squall::http {

SwitchedConnection::SwitchedConnection(Exchange& exchange) {
  const ServerConnection& connection = exchange.connection();
  connection.context().switched.add(*this, connection.peer());
}

SwitchedConnection::~SwitchedConnection() {
  if (server_) server_->remove(*this);
}

}  // namespace squall::http
