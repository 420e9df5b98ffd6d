#pragma once

#include <squall/iostream/address/address.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace squall {

// The PROXY protocol, versions 1 and 2: a header in front of a connection's bytes, in which a proxy names the
// client (https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt). This codec does no I/O: TCPServer
// reads the bytes.

// An additional value of a version 2 header.
struct ProxyTlv {
  enum Type : std::uint8_t {
    alpn = 0x01,       // the negotiated protocol: `h2`, `http/1.1`
    authority = 0x02,  // the host name that the client sent: SNI
    crc32c = 0x03,     // checksum of the whole header; parse_proxy_header() checks it
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

// A range of ProxyTlv, which ends before a truncated value.
//
// Lifetime:  borrows the bytes of the header.
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
  // The first value of this type.
  std::optional<std::string_view> find(std::uint8_t type) const noexcept;
  // Whether no value is truncated.
  bool well_formed() const noexcept;
  std::string_view bytes() const noexcept { return bytes_; }

 private:
  std::string_view bytes_;
};

// The client's TLS connection to a proxy that terminates TLS.
struct ProxySsl {
  bool over_tls;            // the client connected over TLS
  bool cert_on_connection;  // the client sent a certificate on this connection
  bool cert_in_session;     // the client sent one on an earlier connection of its TLS session
  bool verified;            // the client sent one, and the proxy has verified it
  ProxyTlvs tlvs;           // ssl_version, ssl_cn, ...
};

// One header. Its views borrow the parsed bytes.
struct ProxyHeader {
  enum class Transport : std::uint8_t { unspecified, stream, datagram };

  int version = 0;  // 1 or 2
  // The proxy connects on its own behalf (LOCAL, for health checks), or does not know the client (UNKNOWN).
  // The connection's own addresses apply, and the header has no addresses.
  bool is_local = true;
  Transport transport = Transport::unspecified;
  Address source;       // the client
  Address destination;  // the address that the client connected to
  // Names of Unix sockets, often empty.
  std::string_view source_path;
  std::string_view destination_path;
  ProxyTlvs tlvs;

  // nullopt without a value ProxyTlv::ssl, or if the value is malformed.
  std::optional<ProxySsl> ssl() const noexcept;
};

// The result of parse_proxy_header().
struct ProxyParse {
  enum class Status : std::uint8_t { more, complete, invalid };

  Status status;
  std::size_t size = 0;     // if complete: bytes of the header; the connection's bytes follow
  const char* reason = "";  // if invalid: a string constant
  ProxyHeader header;       // if complete
};

// Parses the header that `bytes` begin with.
//
// Limits: a version 1 header has at most 107 bytes, as specified; version 2 may have 65551, of which 4096 are
// allowed here. The status is `more` only while all of `bytes` may belong to the header, so a reader that
// stops at another status has taken no byte of the connection. Further bytes do not change `complete` and
// `invalid`.
//
// Invalid: an address that is not in its canonical form; an unknown version, command or family; a length
// that is too short for the addresses, or that truncates a TLV; a wrong CRC32C. Ignored: the text behind
// UNKNOWN, and all values of a LOCAL header or of the unspecified family.
//
// Result:    views into `bytes`.
ProxyParse parse_proxy_header(std::string_view bytes) noexcept;

inline constexpr std::size_t kMaxProxyHeader = 4096;

}  // namespace squall
