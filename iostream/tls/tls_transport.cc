#include <squall/iostream/tls/tls_transport.h>

#include <squall/iostream/tls/kernel_tls_transport.h>
#include <squall/iostream/tls/tls_context.h>
#include <squall/iostream/tls/user_tls_transport.h>

namespace squall {

std::unique_ptr<TLSTransport> TLSTransport::make(const TLSContext& context, std::string_view server_hostname,
                                                 std::uint16_t port, Channel channel) {
  // The kernel encrypts for sockets only.
  if (channel == Channel::socket && detail::TLSConnection::prefers_kernel(context))
    return std::make_unique<detail::KernelTLSTransport>(context, server_hostname, port);
  return std::make_unique<detail::UserTLSTransport>(context, server_hostname, port, channel);
}

}  // namespace squall
