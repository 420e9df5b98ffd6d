#include <squall/iostream/tls/tls_stream.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/base/log.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/tls/tls_error.h>
#include <squall/iostream/tls/tls_transport.h>

#include <stdexcept>
#include <utility>

namespace squall {

HandshakeAwaiter IOStream::start_tls(const TLSContext& context, std::string_view server_hostname) {
  // An error of the context is reported before an error of the stream's state.
  auto transport = TLSTransport::make(context, server_hostname, peer_address().port(), link_.channel());
  set_transport(std::move(transport));
  return handshake();
}

const TLSTransport* IOStream::tls() const noexcept { return dynamic_cast<const TLSTransport*>(transport()); }

Task<bool> accept_tls(IOStream& stream, TLSContext context) {
  const Address peer = stream.peer_address();
  try {
    co_await stream.start_tls(context);
    co_return true;
  } catch (const TLSError&) {
    // The stream has logged the error, unless the peer only closed the connection.
  } catch (const StreamClosedError&) {
    // The stream was closed, for example by a server that stops.
  } catch (const TimeoutError&) {
    log::general().info("TLS handshake with {} timed out", peer);
  }
  co_return false;
}

}  // namespace squall
