#include <squall/iostream/tls/tls_stream.h>

#include <squall/ioloop/base/errors.h>
#include <squall/ioloop/loop/ioloop.h>
#include <squall/ioloop/base/log.h>
#include <squall/iostream/stream/iostream.h>
#include <squall/iostream/tls/tls_error.h>
#include <squall/iostream/tls/tls_transport.h>

#include <stdexcept>
#include <utility>

namespace squall {

HandshakeAwaiter IOStream::start_tls(const TLSContext& context, std::string_view server_hostname) {
  // A context that is wrong for this is an error even where the stream is too.
  auto transport = std::make_unique<TLSTransport>(context, server_hostname, peer_address().port(), link_.channel());
  set_transport(std::move(transport));
  return handshake();
}

const TLSTransport* IOStream::tls() const noexcept {
  return dynamic_cast<const TLSTransport*>(transport());
}

Task<bool> accept_tls(IOStream& stream, TLSContext context) {
  const Address peer = stream.peer_address();
  try {
    co_await stream.start_tls(context);
    co_return true;
  } catch (const TLSError&) {
    // The stream has logged it, if it is news.
  } catch (const StreamClosedError&) {
    // The server is being stopped, say.
  } catch (const TimeoutError&) {
    log::general().info("TLS handshake with {} timed out", peer);
  }
  co_return false;
}

}  // namespace squall
