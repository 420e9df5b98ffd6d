#pragma once

#include <squall/iostream/address/address.h>

#include <netdb.h>

#include <memory>
#include <system_error>
#include <vector>

namespace squall {

// A list that getaddrinfo() has made.
using AddressInfo = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

// Calls getaddrinfo() for TCP. Null on failure, with the reason in `error`: of resolver_category(), or of
// std::generic_category() for EAI_SYSTEM. May block the thread.
AddressInfo get_address_info(const char* host, const char* service, int family, int flags,
                             std::error_code& error) noexcept;

// The IP addresses of the list, in its order and without duplicates: a hosts file may name an address twice.
std::vector<Address> addresses_in(const AddressInfo& list);

}  // namespace squall
