#include <squall/iostream/tcp/proxy_protocol.h>

#include <squall/ioloop/base/parse_decimal.h>

#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace squall {
namespace {

using Status = ProxyParse::Status;

constexpr std::string_view kSignature1 = "PROXY ";
constexpr std::size_t kMaxLine = 107;  // with its CR LF

constexpr std::string_view kSignature2("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t kFixed = 16;  // signature, version and command, family, length
constexpr std::size_t kUnixPath = 108;

ProxyParse more() noexcept { return {Status::more, 0, "", {}}; }
ProxyParse invalid(const char* reason) noexcept { return {Status::invalid, 0, reason, {}}; }

unsigned byte_at(std::string_view bytes, std::size_t index) noexcept {
  return static_cast<unsigned char>(bytes[index]);
}
std::uint16_t uint16_at(std::string_view bytes, std::size_t index) noexcept {
  return static_cast<std::uint16_t>(byte_at(bytes, index) << 8 | byte_at(bytes, index + 1));
}
std::uint32_t uint32_at(std::string_view bytes, std::size_t index) noexcept {
  return std::uint32_t{uint16_at(bytes, index)} << 16 | uint16_at(bytes, index + 2);
}

// ---- Version 1: a line.

// Removes the text up to the next space, and the space, from `rest`.
std::string_view take_word(std::string_view& rest) noexcept {
  const std::size_t space = std::min(rest.find(' '), rest.size());
  const std::string_view word = rest.substr(0, space);
  rest.remove_prefix(std::min(space + 1, rest.size()));
  return word;
}

ProxyParse parse_line(std::string_view line, std::size_t size) noexcept {
  ProxyParse parse{Status::complete, size, "", {}};
  ProxyHeader& header = parse.header;
  header.version = 1;
  const std::string_view whole = line;
  const std::string_view protocol = take_word(line);
  if (protocol == "UNKNOWN") return parse;
  if (protocol != "TCP4" && protocol != "TCP6") return invalid("an unknown protocol in the PROXY line");
  const std::string_view source = take_word(line);
  const std::string_view destination = take_word(line);
  const auto source_port = parse_canonical_decimal<std::uint16_t>(take_word(line));
  const auto destination_port = parse_canonical_decimal<std::uint16_t>(line);
  if (!source_port || !destination_port || std::count(whole.begin(), whole.end(), ' ') != 4)
    return invalid("not two addresses and two ports in the PROXY line");
  const int family = protocol == "TCP4" ? AF_INET : AF_INET6;
  const auto from = Address::parse_ip(source, *source_port);
  const auto to = Address::parse_ip(destination, *destination_port);
  const bool scoped = source.find('%') != source.npos || destination.find('%') != destination.npos;
  if (!from || !to || from->family() != family || to->family() != family || scoped)
    return invalid("an address in the PROXY line is not of its family");
  header.is_local = false;
  header.transport = ProxyHeader::Transport::stream;
  header.source = *from;
  header.destination = *to;
  return parse;
}

ProxyParse parse_version_1(std::string_view bytes) noexcept {
  const std::size_t end = bytes.substr(0, kMaxLine).find("\r\n");
  if (end != bytes.npos) return parse_line(bytes.substr(0, end).substr(kSignature1.size()), end + 2);
  return bytes.size() < kMaxLine ? more() : invalid("a PROXY line of more than 107 bytes");
}

// ---- Version 2: binary.

constexpr std::array<std::uint32_t, 256> make_crc32c_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = value >> 1 ^ (value & 1 ? 0x82f63b78 : 0);
    table[i] = value;
  }
  return table;
}
constexpr std::array<std::uint32_t, 256> kCrc32c = make_crc32c_table();

// The CRC32C (RFC 3720, appendix B.4) of `bytes`. The bytes of `field`, a view into `bytes`, count as zero.
std::uint32_t crc32c(std::string_view bytes, std::string_view field) noexcept {
  const auto first = static_cast<std::size_t>(field.data() - bytes.data());
  std::uint32_t crc = 0xffffffff;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint32_t byte = i >= first && i < first + field.size() ? 0 : byte_at(bytes, i);
    crc = crc >> 8 ^ kCrc32c[(crc ^ byte) & 0xff];
  }
  return ~crc;
}

// The size of both addresses and their ports.
std::size_t addresses_size(unsigned family) noexcept {
  constexpr std::array<std::size_t, 4> kSizes = {0, 2 * 4 + 4, 2 * 16 + 4, 2 * kUnixPath};
  return kSizes[family];
}

std::string_view path_in(std::string_view field) noexcept {
  // An abstract name begins with NUL.
  const std::size_t end = field.find('\0', 1);
  if (field[0] != '\0') return field.substr(0, end);
  const std::size_t last = field.find_last_not_of('\0');
  return field.substr(0, last == field.npos ? 0 : last + 1);
}

void read_addresses(ProxyHeader& header, unsigned family, std::string_view bytes) noexcept {
  if (family == 3) {
    header.source_path = path_in(bytes.substr(0, kUnixPath));
    header.destination_path = path_in(bytes.substr(kUnixPath, kUnixPath));
    sockaddr unix_socket{};
    unix_socket.sa_family = AF_UNIX;
    header.source = header.destination = Address(&unix_socket, sizeof unix_socket);
    return;
  }
  const std::size_t size = family == 1 ? 4 : 16;
  header.source = Address::from_bytes(bytes.substr(0, size), uint16_at(bytes, 2 * size));
  header.destination = Address::from_bytes(bytes.substr(size, size), uint16_at(bytes, 2 * size + 2));
}

ProxyParse parse_version_2(std::string_view bytes) noexcept {
  if (bytes.size() < kSignature2.size() + 1) return more();
  const unsigned command = byte_at(bytes, 12) & 0xf;
  if (byte_at(bytes, 12) >> 4 != 2) return invalid("a PROXY header of a version other than 2");
  if (command > 1) return invalid("an unknown command in the PROXY header");
  if (bytes.size() < kFixed - 2) return more();
  const unsigned family = byte_at(bytes, 13) >> 4;
  const unsigned transport = byte_at(bytes, 13) & 0xf;
  const bool is_local = command == 0 || family == 0;
  if (command == 1 && (family > 3 || transport > 2))
    return invalid("an unknown address family or transport in the PROXY header");
  if (bytes.size() < kFixed) return more();
  const std::size_t size = kFixed + uint16_at(bytes, 14);
  if (size > kMaxProxyHeader) return invalid("a PROXY header of more than 4096 bytes");
  if (!is_local && size < kFixed + addresses_size(family))
    return invalid("a PROXY header too short for its addresses");
  if (bytes.size() < size) return more();

  ProxyParse parse{Status::complete, size, "", {}};
  ProxyHeader& header = parse.header;
  header.version = 2;
  if (is_local) return parse;
  header.is_local = false;
  header.transport = static_cast<ProxyHeader::Transport>(transport);
  bytes = bytes.substr(0, size);
  read_addresses(header, family, bytes.substr(kFixed));
  header.tlvs = ProxyTlvs(bytes.substr(kFixed + addresses_size(family)));
  if (!header.tlvs.well_formed()) return invalid("a value in the PROXY header is truncated");
  if (const auto sum = header.tlvs.find(ProxyTlv::crc32c)) {
    if (sum->size() != 4 || uint32_at(*sum, 0) != crc32c(bytes, *sum))
      return invalid("the checksum of the PROXY header is wrong");
  }
  return parse;
}

}  // namespace

void ProxyTlvs::Iterator::read() noexcept {
  const std::size_t size = rest_.size() < kHead ? 0 : kHead + uint16_at(rest_, 1);
  if (size == 0 || size > rest_.size()) {
    rest_ = {};
  } else {
    tlv_ = {static_cast<std::uint8_t>(rest_[0]), rest_.substr(kHead, size - kHead)};
  }
}

std::optional<std::string_view> ProxyTlvs::find(std::uint8_t type) const noexcept {
  for (const ProxyTlv& tlv : *this)
    if (tlv.type == type) return tlv.value;
  return std::nullopt;
}

bool ProxyTlvs::well_formed() const noexcept {
  std::size_t whole = 0;
  for (const ProxyTlv& tlv : *this) whole += 3 + tlv.value.size();
  return whole == bytes_.size();
}

std::optional<ProxySsl> ProxyHeader::ssl() const noexcept {
  const auto value = tlvs.find(ProxyTlv::ssl);
  if (!value || value->size() < 5) return std::nullopt;
  const unsigned client = byte_at(*value, 0);
  const bool has_cert = (client & 0x06) != 0;
  const ProxyTlvs inner(value->substr(5));
  if (!inner.well_formed()) return std::nullopt;
  return ProxySsl{(client & 0x01) != 0, (client & 0x02) != 0, (client & 0x04) != 0,
                  has_cert && uint32_at(*value, 1) == 0, inner};
}

ProxyParse parse_proxy_header(std::string_view bytes) noexcept {
  if (bytes.starts_with(kSignature1)) return parse_version_1(bytes);
  if (bytes.starts_with(kSignature2)) return parse_version_2(bytes);
  if (kSignature1.starts_with(bytes) || kSignature2.starts_with(bytes)) return more();
  return invalid("no PROXY header");
}

}  // namespace squall
