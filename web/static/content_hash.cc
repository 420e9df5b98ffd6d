#include <squall/web/static/content_hash.h>

#include <squall/ioloop/base/ascii.h>
#include <squall/iostream/socket/file.h>

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <stdexcept>

namespace squall::web {
namespace {

constexpr std::size_t kHashedPiece = 64 * 1024;

class Sha512 {
 public:
  Sha512() : context_(::EVP_MD_CTX_new()) {
    check(context_ && ::EVP_DigestInit_ex(context_.get(), ::EVP_sha512(), nullptr));
  }
  void add(std::string_view bytes) {
    check(::EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  std::string hex() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
    unsigned size = 0;
    check(::EVP_DigestFinal_ex(context_.get(), digest.data(), &size) == 1);
    std::string text;
    text.reserve(2 * std::size_t{size});
    append_lower_hex(text, std::span(digest).first(size));
    return text;
  }

 private:
  static void check(bool is_ok) {
    if (!is_ok) throw std::runtime_error("SHA-512 failed");
  }

  struct Free {
    void operator()(EVP_MD_CTX* context) const noexcept { ::EVP_MD_CTX_free(context); }
  };
  std::unique_ptr<EVP_MD_CTX, Free> context_;
};

}  // namespace

std::string hash_of(std::string_view content) {
  Sha512 hash;
  hash.add(content);
  return hash.hex();
}

std::optional<std::string> hash_of_file(int file, std::uint64_t size) {
  Sha512 hash;
  std::string piece;
  for (std::uint64_t done = 0; done < size;) {
    piece.resize(static_cast<std::size_t>(std::min<std::uint64_t>(size - done, kHashedPiece)));
    const ssize_t count = read_file(file, piece, done);
    if (count <= 0) return std::nullopt;
    hash.add(std::string_view(piece).substr(0, static_cast<std::size_t>(count)));
    done += static_cast<std::uint64_t>(count);
  }
  return hash.hex();
}

}  // namespace squall::web
