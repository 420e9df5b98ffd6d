#include <squall/iostream/address/address_info.h>

#include <squall/iostream/address/resolve_error.h>

#include <algorithm>
#include <cerrno>

namespace squall {

AddressInfo get_address_info(const char* host, const char* service, int family, int flags,
                             std::error_code& error) noexcept {
  addrinfo hints{};
  hints.ai_family = family;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(host, service, &hints, &found);
  if (failed == EAI_SYSTEM) {
    error.assign(errno, std::generic_category());
  } else if (failed) {
    error.assign(failed, resolver_category());
  } else {
    error.clear();
  }
  return AddressInfo(failed ? nullptr : found, &::freeaddrinfo);
}

std::vector<Address> addresses_in(const AddressInfo& list) {
  std::vector<Address> addresses;
  for (const addrinfo* info = list.get(); info; info = info->ai_next) {
    const Address address(info->ai_addr, info->ai_addrlen);
    // Linear, as the lists are short.
    const bool is_known = std::find(addresses.begin(), addresses.end(), address) != addresses.end();
    if (address.is_ip() && !is_known) addresses.push_back(address);
  }
  return addresses;
}

}  // namespace squall
