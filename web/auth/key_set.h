#pragma once

#include <squall/web/auth/signature_key.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace squall::web {

// The public keys by which a provider signs, as its JSON Web Key Set has them (RFC 7517).
//
// Thread:    const functions from any thread.
class KeySet {
 public:
  static constexpr std::size_t kMostKeys = 100;
  // A token is tried with so many keys of one id.
  static constexpr std::size_t kMostOfOneId = 4;

  KeySet() = default;
  // Keys of other kinds and uses are skipped, and so are malformed ones. Only the first kMostKeys of the text
  // are read. nullopt for a text that is no key set.
  static std::optional<KeySet> parse(std::string_view json);

  // The keys of the algorithm with that id, at most kMostOfOneId. Without an id: the only key of the
  // algorithm, and no key if there are several.
  std::vector<const SignatureKey*> find(SignatureAlgorithm algorithm,
                                        const std::optional<std::string>& key_id) const;
  bool empty() const noexcept { return keys_.empty(); }

 private:
  struct Entry {
    std::string id;
    SignatureKey key;
  };

  std::vector<Entry> keys_;
};

}  // namespace squall::web
