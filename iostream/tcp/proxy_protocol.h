#pragma once

#include <squall/iostream/address/address.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace squall {

// The PROXY protocol, versions 1 and 2: what a proxy sends ahead of a connection's bytes to say whose they
// are (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt). Bytes in, values out: TCPServer does the
// reading.

// A value that version 2 adds to the addresses, by its type.
struct ProxyTlv {
  enum Type : std::uint8_t {
    alpn = 0x01,       // the protocol that was negotiated: `h2`, `http/1.1`
    authority = 0x02,  // the host that the client asked for: SNI
    crc32c = 0x03,     // of the whole header; checked
    noop = 0x04,
    unique_id = 0x05,
    ssl = 0x20,  // see ProxyHeader::ssl()
    ssl_version = 0x21,
    ssl_cn = 0x22,
    ssl_cipher = 0x23,
    ssl_sig_alg = 0x24,
    ssl_key_alg = 0x25,
    netns = 0x30,
  };
  std::uint8_t type;
  std::string_view value;
};

// A sequence of them, to be iterated over. It ends in front of one that is cut off.
class ProxyTlvs {
 public:
  class Iterator {
   public:
    explicit Iterator(std::string_view rest) noexcept : rest_(rest) { read(); }
    const ProxyTlv& operator*() const noexcept { return tlv_; }
    const ProxyTlv* operator->() const noexcept { return &tlv_; }
    Iterator& operator++() noexcept {
      rest_.remove_prefix(kHead + tlv_.value.size());
      read();
      return *this;
    }
    bool operator!=(const Iterator& other) const noexcept { return rest_.size() != other.rest_.size(); }

   private:
    static constexpr std::size_t kHead = 3;  // type and length
    void read() noexcept;

    std::string_view rest_;
    ProxyTlv tlv_{};
  };

  ProxyTlvs() noexcept = default;
  explicit ProxyTlvs(std::string_view bytes) noexcept : bytes_(bytes) {}

  Iterator begin() const noexcept { return Iterator(bytes_); }
  Iterator end() const noexcept { return Iterator({}); }
  // The first of its type.
  std::optional<std::string_view> find(std::uint8_t type) const noexcept;
  // All of it belongs to whole ones.
  bool well_formed() const noexcept;
  std::string_view bytes() const noexcept { return bytes_; }

 private:
  std::string_view bytes_;
};

// How the client's side of a proxy that ended TLS was secured.
struct ProxySsl {
  bool over_tls;            // the client connected over TLS,
  bool cert_on_connection;  // gave a certificate on this connection,
  bool cert_in_session;     // or on an earlier one of its TLS session,
  bool verified;            // and it was found good
  ProxyTlvs tlvs;           // ssl_version, ssl_cn, ...
};

// One header. Its views are into what was parsed.
struct ProxyHeader {
  enum class Transport : std::uint8_t { unspecified, stream, datagram };

  int version = 0;  // 1 or 2
  // The proxy connected on its own behalf (LOCAL, for health checks), or does not know for whom (UNKNOWN):
  // the connection's own addresses count, and none are given here.
  bool is_local = true;
  Transport transport = Transport::unspecified;
  Address source;       // the client
  Address destination;  // what it connected to
  // Unix sockets' names, often empty.
  std::string_view source_path;
  std::string_view destination_path;
  ProxyTlvs tlvs;

  // None if the header says nothing of it, or nothing that makes sense.
  std::optional<ProxySsl> ssl() const noexcept;
};

// What the bytes received so far are the beginning of.
struct ProxyParse {
  enum class Status : std::uint8_t { more, complete, invalid };

  Status status;
  std::size_t size = 0;     // complete: bytes of the header; the connection's own follow
  const char* reason = "";  // invalid: why, a string constant
  ProxyHeader header;       // complete
};

// Limits: a version 1 header has 107 bytes at most, as specified; of version 2's possible 65551 we take
// 4096. It says `more` only as long as all of `bytes` can belong to the header: who reads no further than
// that never takes what belongs to the connection. `complete` and `invalid` stay what they are whatever
// bytes follow.
//
// Refused are: an address that is not written canonically; a version, command or family that is not
// specified; a length too short for the addresses, or that cuts off a TLV; a CRC32C that is wrong. Ignored
// are the text behind UNKNOWN, and everything in a LOCAL header or one of the unspecified family.
ProxyParse parse_proxy_header(std::string_view bytes) noexcept;

inline constexpr std::size_t kMaxProxyHeader = 4096;

}  // namespace squall
