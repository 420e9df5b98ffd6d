#include <squall/iostream/tcp/proxy_protocol.h>

#include <sys/socket.h>

#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "support/catch.h"
#include "support/proxy_header.h"

namespace squall::proxy_protocol_test {
namespace {

using namespace std::string_literals;
using testing::checksummed;
using testing::tlv;
using testing::v2;
using testing::v2_ipv4;
using Status = ProxyParse::Status;

// For every cut the result is the same, and `more` until the header is complete.
ProxyParse parse(const std::string& header) {
  for (std::size_t size = 0; size < header.size(); ++size) {
    INFO(size);
    REQUIRE(parse_proxy_header(header.substr(0, size)).status == Status::more);
  }
  const ProxyParse whole = parse_proxy_header(header);
  REQUIRE(whole.reason == ""s);
  REQUIRE(whole.status == Status::complete);
  REQUIRE(whole.size == header.size());
  // Bytes behind the header are not part of it.
  const ProxyParse followed = parse_proxy_header(header + "GET / HTTP/1.1\r\n\r\n");
  REQUIRE(followed.status == Status::complete);
  REQUIRE(followed.size == header.size());
  REQUIRE(followed.header.source == whole.header.source);
  return whole;
}

std::string refusal(const std::string& bytes) {
  const ProxyParse parse = parse_proxy_header(bytes);
  if (parse.status != Status::invalid) return "";
  // Further bytes change neither status nor reason.
  CHECK(parse_proxy_header(bytes + std::string(200, 'x')).reason == std::string(parse.reason));
  CHECK(parse_proxy_header(bytes + "\r\n").reason == std::string(parse.reason));
  return parse.reason;
}

TEST_CASE("a version 1 line gives both addresses", "[proxy_protocol]") {
  const ProxyHeader v4 = parse("PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n").header;
  CHECK(v4.version == 1);
  CHECK_FALSE(v4.is_local);
  CHECK(v4.transport == ProxyHeader::Transport::stream);
  CHECK(v4.source.to_string() == "192.0.2.1:56324");
  CHECK(v4.destination.to_string() == "198.51.100.7:443");
  const ProxyHeader v6 = parse("PROXY TCP6 2001:db8::1 ::1 65535 0\r\n").header;
  CHECK(v6.source.to_string() == "[2001:db8::1]:65535");
  CHECK(v6.destination.to_string() == "[::1]:0");
  // The longest header.
  const std::string ip = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
  CHECK(parse("PROXY TCP6 " + ip + " " + ip + " 65535 65535\r\n").size == 104);
}

TEST_CASE("a version 1 line may say that the client is unknown, and then says no more", "[proxy_protocol]") {
  for (const std::string rest :
       {"", " ", " whatever it is", " ffff:f...f:ffff ffff:f...f:ffff 65535 65535"}) {
    const ProxyHeader header = parse("PROXY UNKNOWN" + rest + "\r\n").header;
    CHECK(header.is_local);
    CHECK(header.source == Address());
  }
  CHECK(parse("PROXY UNKNOWN " + std::string(91, 'x') + "\r\n").size == 107);
}

TEST_CASE("a version 1 line has 107 bytes at most", "[proxy_protocol]") {
  const std::string line = "PROXY UNKNOWN " + std::string(92, 'x');
  CHECK(parse_proxy_header(line).status == Status::more);
  CHECK(refusal(line + "x") == "a PROXY line of more than 107 bytes");
  CHECK(refusal(line + "\r\n") == "a PROXY line of more than 107 bytes");
}

TEST_CASE("a version 1 line in another than its canonical form is refused", "[proxy_protocol]") {
  for (const std::string text :
       {"TCP4 1.2.3.4 1.2.3.4 1 2 3", "TCP4 1.2.3.4 1.2.3.4 1", "TCP4  1.2.3.4 1.2.3.4 1 2",
        "TCP4 1.2.3.4 1.2.3.4 1 2 ", "TCP4 1.2.3.4 1.2.3.4 01 2", "TCP4 1.2.3.4 1.2.3.4 1 65536",
        "TCP4 1.2.3.4 1.2.3.4 +1 2", "TCP4 1.2.3.4 1.2.3.4 -1 2", "TCP4 1.2.3.4 1.2.3.4 1 ",
        "TCP4 1.2.3.4 1.2.3.4 1 x", "TCP4 1.2.3.4 1.2.3.4 1 2\n", "TCP4", "TCP4 ",
        "TCP4 1.2.3.4\t1.2.3.4 1 2", "TCP4 1.2.3.4 1.2.3.4 1 000000"}) {
    INFO(text);
    CHECK(refusal("PROXY " + text + "\r\n") == "not two addresses and two ports in the PROXY line");
  }
  for (const std::string text :
       {"TCP4 ::1 ::1 1 2", "TCP6 1.2.3.4 1.2.3.4 1 2", "TCP4 1.2.3.4 1.2.3 1 2", "TCP4 01.2.3.4 1.2.3.4 1 2",
        "TCP6 [::1] ::1 1 2", "TCP6 fe80::1%1 ::1 1 2", "TCP4 a.example b.example 1 2", "TCP6 ::1  1 2"}) {
    INFO(text);
    CHECK(refusal("PROXY " + text + "\r\n") == "an address in the PROXY line is not of its family");
  }
  for (const std::string text :
       {"", "UDP4 1.2.3.4 1.2.3.4 1 2", "tcp4 1.2.3.4 1.2.3.4 1 2", "UNKNOWNX", "TCP"}) {
    INFO(text);
    CHECK(refusal("PROXY " + text + "\r\n") == "an unknown protocol in the PROXY line");
  }
}

TEST_CASE("bytes that begin no header are refused at the first byte that differs", "[proxy_protocol]") {
  const std::pair<std::string, std::size_t> rows[] = {
      {"GET / HTTP/1.1\r\n\r\n", 1}, {"PROXZ", 5},      {"PROXY\t", 6},      {"proxy ", 1},
      {"\r\nGET / HTTP/1.1\r\n", 3}, {"\r\n\r\n\r", 5}, {"\x16\x03\x01", 1}, {"\r\n\r\n\x01", 5}};
  for (const auto& [bytes, size] : rows) {
    CAPTURE(bytes);
    CHECK(parse_proxy_header(bytes.substr(0, size - 1)).status == Status::more);
    CHECK(refusal(bytes.substr(0, size)) == "no PROXY header");
    CHECK(refusal(bytes) == "no PROXY header");
  }
}

TEST_CASE("a version 2 header gives both addresses", "[proxy_protocol]") {
  const ProxyHeader v4 = parse(v2_ipv4("\xc0\x00\x02\x01\xc6\x33\x64\x07\xdc\x04\x01\xbb"s)).header;
  CHECK(v4.version == 2);
  CHECK_FALSE(v4.is_local);
  CHECK(v4.transport == ProxyHeader::Transport::stream);
  CHECK(v4.source.to_string() == "192.0.2.1:56324");
  CHECK(v4.destination.to_string() == "198.51.100.7:443");

  const std::string one = "\x20\x01\x0d\xb8"s + std::string(11, '\0') + '\x01';
  const std::string two = std::string(15, '\0') + '\x01';
  const ProxyHeader v6 = parse(v2(0x21, 0x22, one + two + "\xff\xff\x00\x50"s)).header;
  CHECK(v6.transport == ProxyHeader::Transport::datagram);
  CHECK(v6.source.to_string() == "[2001:db8::1]:65535");
  CHECK(v6.destination.to_string() == "[::1]:80");
}

TEST_CASE("a version 2 header may be of Unix sockets", "[proxy_protocol]") {
  const std::string full(108, 'x');
  const std::string path = "/run/a.sock" + std::string(97, '\0');
  const std::string abstract = "\0name"s + std::string(103, '\0');
  ProxyParse parsed = parse(v2(0x21, 0x31, path + full));
  CHECK(parsed.header.source.is_unix());
  CHECK(parsed.header.destination.is_unix());
  const std::string bytes = v2(0x21, 0x32, abstract + std::string(108, '\0'));
  CHECK(parse_proxy_header(bytes).header.source_path == "\0name"s);
  CHECK(parse_proxy_header(bytes).header.destination_path.empty());
  const std::string again = v2(0x21, 0x31, path + full);
  CHECK(parse_proxy_header(again).header.source_path == "/run/a.sock");
  CHECK(parse_proxy_header(again).header.destination_path == full);
}

TEST_CASE("the contents of a LOCAL header, and of one without a family, are ignored", "[proxy_protocol]") {
  for (const std::string& header :
       {v2(0x20, 0x00, ""), v2(0x20, 0x11, std::string(12, '\1')), v2(0x20, 0xff, "rubbish"),
        v2(0x21, 0x00, ""), v2(0x21, 0x01, "rubbish"), v2(0x20, 0x00, std::string(4080, 'x'))}) {
    const ProxyParse local = parse(header);
    CHECK(local.header.is_local);
    CHECK(local.header.version == 2);
    CHECK(local.header.source == Address());
    CHECK(local.header.tlvs.bytes().empty());
  }
}

TEST_CASE("a malformed version 2 header is refused at its first wrong byte", "[proxy_protocol]") {
  const std::string addresses(12, '\1');
  const auto refused_at = [](const std::string& header) {
    std::size_t size = 0;
    while (parse_proxy_header(header.substr(0, size)).status == Status::more) ++size;
    return size;
  };
  for (const int version : {0x01, 0x11, 0x31, 0xf1}) {
    CHECK(refusal(v2(version, 0x11, addresses)) == "a PROXY header of a version other than 2");
    CHECK(refused_at(v2(version, 0x11, addresses)) == 13);
  }
  for (const int command : {0x22, 0x2f}) {
    CHECK(refusal(v2(command, 0x11, addresses)) == "an unknown command in the PROXY header");
    CHECK(refused_at(v2(command, 0x11, addresses)) == 13);
  }
  for (const int family : {0x41, 0xf1, 0x13, 0x1f}) {
    CHECK(refusal(v2(0x21, family, addresses)) ==
          "an unknown address family or transport in the PROXY header");
    CHECK(refused_at(v2(0x21, family, addresses)) == 14);
  }
  for (const auto& [family, size] : {std::pair{0x11, 11}, {0x21, 35}, {0x31, 215}, {0x11, 0}}) {
    const std::string header = v2(0x21, family, std::string(static_cast<std::size_t>(size), '\1'));
    CHECK(refusal(header) == "a PROXY header too short for its addresses");
    CHECK(refused_at(header) == 16);
  }
}

TEST_CASE("a version 2 header has 4096 bytes at most", "[proxy_protocol]") {
  const std::string addresses(12, '\1');
  const std::string most = v2_ipv4(addresses + tlv(ProxyTlv::noop, std::string(4096 - 16 - 12 - 3, 'x')));
  CHECK(parse(most).size == kMaxProxyHeader);
  const std::string more = v2_ipv4(addresses + tlv(ProxyTlv::noop, std::string(4096 - 16 - 12 - 2, 'x')));
  CHECK(refusal(more.substr(0, 16)) == "a PROXY header of more than 4096 bytes");
  CHECK(refusal(v2(0x20, 0, std::string(65535, 'x'))) == "a PROXY header of more than 4096 bytes");
}

TEST_CASE("values behind the addresses are found by type, in their order", "[proxy_protocol]") {
  const std::string header =
      v2_ipv4(std::string(12, '\1') + tlv(ProxyTlv::alpn, "h2") + tlv(ProxyTlv::authority, "") +
              tlv(0xe0, "a") + tlv(0xe0, "b") + tlv(ProxyTlv::unique_id, std::string(128, 'u')));
  parse(header);
  const ProxyParse parsed = parse_proxy_header(header);
  const ProxyTlvs& tlvs = parsed.header.tlvs;
  CHECK(tlvs.find(ProxyTlv::alpn) == "h2");
  CHECK(tlvs.find(ProxyTlv::authority) == "");
  CHECK(tlvs.find(0xe0) == "a");
  CHECK(tlvs.find(ProxyTlv::unique_id) == std::string(128, 'u'));
  CHECK_FALSE(tlvs.find(ProxyTlv::ssl));
  std::string types;
  for (const ProxyTlv& value : tlvs) types += static_cast<char>(value.type);
  CHECK(types == "\x01\x02\xe0\xe0\x05");
  CHECK_FALSE(parsed.header.ssl());
}

TEST_CASE("a truncated value is refused", "[proxy_protocol]") {
  const std::string addresses(12, '\1');
  const std::string value = tlv(ProxyTlv::alpn, "h2");
  for (std::size_t size = 1; size < value.size(); ++size)
    CHECK(refusal(v2_ipv4(addresses + value.substr(0, size))) == "a value in the PROXY header is truncated");
  CHECK(refusal(v2_ipv4(addresses + value + "x")) == "a value in the PROXY header is truncated");
}

TEST_CASE("how the client's side was secured can be read", "[proxy_protocol]") {
  const std::string inner = tlv(ProxyTlv::ssl_version, "TLSv1.3") + tlv(ProxyTlv::ssl_cn, "client.example");
  const auto ssl_of = [](const std::string& value) {
    const std::string header = v2_ipv4(std::string(12, '\1') + tlv(ProxyTlv::ssl, value));
    const auto ssl = parse_proxy_header(header).header.ssl();
    // By value: the header ends here.
    return ssl ? std::string(ssl->over_tls ? "tls " : "") + (ssl->cert_on_connection ? "connection " : "") +
                     (ssl->cert_in_session ? "session " : "") + (ssl->verified ? "verified " : "") +
                     std::string(ssl->tlvs.find(ProxyTlv::ssl_cn).value_or("-"))
               : "none";
  };
  CHECK(ssl_of("\x07\0\0\0\0"s + inner) == "tls connection session verified client.example");
  CHECK(ssl_of("\x03\0\0\0\x01"s + inner) == "tls connection client.example");
  CHECK(ssl_of("\x05\0\0\0\0"s) == "tls session verified -");
  // A missing certificate is not verified.
  CHECK(ssl_of("\x01\0\0\0\0"s) == "tls -");
  CHECK(ssl_of("\0\0\0\0\0"s) == "-");
  CHECK(ssl_of("\x01\0\0\0"s) == "none");
  CHECK(ssl_of("\x01\0\0\0\0"s + inner.substr(0, 4)) == "none");
}

TEST_CASE("a checksum is checked if there is one", "[proxy_protocol]") {
  // The check value of CRC-32C.
  CHECK(testing::crc32c("123456789") == 0xe3069283);
  const std::string before = std::string(12, '\1') + tlv(ProxyTlv::alpn, "h2");
  const std::string good = checksummed(before, tlv(ProxyTlv::authority, "a.example"));
  parse(good);
  std::mt19937 random(1);
  for (std::size_t i = 16; i < good.size(); ++i) {
    std::string bad = good;
    bad[i] = static_cast<char>(bad[i] ^ (1 << random() % 8));
    INFO(i);
    const ProxyParse parsed = parse_proxy_header(bad);
    // For any flipped bit, also in a type or a length, the header is not accepted with its checksum.
    CHECK((parsed.status == Status::invalid || !parsed.header.tlvs.find(ProxyTlv::crc32c)));
  }
  CHECK(refusal(v2_ipv4(before + tlv(ProxyTlv::crc32c, "abcd"))) ==
        "the checksum of the PROXY header is wrong");
  for (const std::string size : {"", "abc", "abcde"})
    CHECK(refusal(v2_ipv4(before + tlv(ProxyTlv::crc32c, size))) ==
          "the checksum of the PROXY header is wrong");
}

// ---- Properties.

TEST_CASE("for any bytes in any pieces the status changes only once, from `more`", "[proxy_protocol]") {
  std::mt19937 random(7);
  const std::vector<std::string> seeds = {"PROXY TCP4 192.0.2.1 198.51.100.7 56324 443\r\n",
                                          "PROXY UNKNOWN\r\n",
                                          "PROXY TCP6 ::1 ::2 1 2\r\n",
                                          v2_ipv4(std::string(12, '\1') + tlv(ProxyTlv::alpn, "h2")),
                                          v2(0x20, 0, ""),
                                          v2(0x21, 0x31, std::string(216, 'x')),
                                          checksummed(std::string(12, '\1'), "")};
  int complete = 0;
  int refused = 0;
  for (int round = 0; round < 5000; ++round) {
    std::string bytes = seeds[random() % seeds.size()] + "followed by the connection's own";
    for (std::size_t changes = random() % 3; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    const ProxyParse whole = parse_proxy_header(bytes);
    bool decided = false;
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
      const ProxyParse part = parse_proxy_header(std::string_view(bytes).substr(0, size));
      if (decided || part.status != Status::more) {
        decided = true;
        REQUIRE(part.status == whole.status);
        REQUIRE(part.size == whole.size);
        REQUIRE(part.header.source == whole.header.source);
        REQUIRE(std::string(part.reason) == whole.reason);
      }
    }
    complete += whole.status == Status::complete;
    refused += whole.status == Status::invalid;
  }
  CHECK(complete > 500);
  CHECK(refused > 500);
}

TEST_CASE("random addresses arrive as they were sent, in both versions", "[proxy_protocol]") {
  std::mt19937 random(3);
  for (int round = 0; round < 2000; ++round) {
    const std::size_t size = random() % 2 ? 4 : 16;
    std::string bytes(2 * size + 4, '\0');
    for (char& c : bytes) c = static_cast<char>(random());
    const auto port = [&](std::size_t at) {
      return static_cast<std::uint16_t>(static_cast<unsigned char>(bytes[at]) << 8 |
                                        static_cast<unsigned char>(bytes[at + 1]));
    };
    const Address from = Address::from_bytes(bytes.substr(0, size), port(2 * size));
    const Address to = Address::from_bytes(bytes.substr(size, size), port(2 * size + 2));
    const ProxyHeader binary = parse_proxy_header(v2(0x21, size == 4 ? 0x11 : 0x21, bytes)).header;
    REQUIRE(binary.source == from);
    REQUIRE(binary.destination == to);
    const std::string line = fmt::format("PROXY TCP{} {} {} {} {}\r\n", size == 4 ? 4 : 6, from.ip(), to.ip(),
                                         from.port(), to.port());
    const ProxyHeader text = parse_proxy_header(line).header;
    REQUIRE(text.source == from);
    REQUIRE(text.destination == to);
  }
}

}  // namespace
}  // namespace squall::proxy_protocol_test
