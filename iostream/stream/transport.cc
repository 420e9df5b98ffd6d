#include <squall/iostream/stream/transport.h>

#include <squall/iostream/address/errors.h>

namespace squall {

void Transport::throw_error() const { throw StreamClosedError(error()); }

}  // namespace squall
