// What a full handshake costs the client, compared with the primitives that it cannot do without and with other
// libraries' clients. The server is the same for all and is not measured.
#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <botan/aead.h>
#include <botan/ec_group.h>
#include <botan/ecdh.h>
#include <botan/ecdsa.h>
#include <botan/hash.h>
#include <botan/mac.h>
#include <botan/ml_kem.h>
#include <botan/pubkey.h>
#include <botan/system_rng.h>
#include <botan/x25519.h>
#include <botan/x509cert.h>

#include "pairs.hpp"

namespace bench {

namespace {

constexpr std::uint16_t aes_128_gcm_sha256 = 0x1301;

/// The bare operations of one handshake, in Botan's public interface, one object each as a protocol would make it.
class Primitives {
public:
  Primitives(const Pki& pki, std::uint16_t group, std::size_t flight)
      : group_(group), chain_(pki.leaf.chain_der()), root_(pki.root.der()), flight_(flight, 0x61),
        content_(64 + 34 + 32, 0x20), signature_(pki.leaf.key().sign("SHA-256", content_)) {
    // The server's side of the exchange.
    if (has_curve25519())
      x25519_share_ = Botan::X25519_PrivateKey(rng_).raw_public_key_bits();
    else
      p256_share_ = Botan::ECDH_PrivateKey(rng_, p256_).public_value();
    if (group_ == bench::x25519_mlkem768) {
      const Botan::ML_KEM_PrivateKey key(rng_, kem_mode);
      Botan::PK_KEM_Encryptor encryptor(key, "Raw");
      ciphertext_ = encryptor.encrypt(rng_).encapsulated_shared_key();
    }
  }

  /// A key pair for each share, and the shared secret.
  void exchange_keys() {
    if (group_ == bench::x25519_mlkem768) {
      const Botan::ML_KEM_PrivateKey key(rng_, kem_mode);
      keep(key.raw_public_key_bits());
      Botan::PK_KEM_Decryptor decryptor(key, rng_, "Raw");
      keep(decryptor.decrypt(ciphertext_, 32));
    }
    if (has_curve25519()) {
      const Botan::X25519_PrivateKey key(rng_);
      keep(key.raw_public_key_bits());
      keep(Botan::PK_Key_Agreement(key, rng_, "Raw").derive_key(32, x25519_share_).bits_of());
    } else {
      const Botan::ECDH_PrivateKey key(rng_, p256_);
      keep(key.public_value());
      keep(Botan::PK_Key_Agreement(key, rng_, "Raw").derive_key(32, p256_share_).bits_of());
    }
  }

  void parse_certificates() {
    parsed_.clear();
    for (const std::vector<std::uint8_t>& der : chain_)
      parsed_.emplace_back(der);
  }

  /// The signatures in the chain and the one over the handshake, with the keys that they need.
  void verify_signatures() {
    for (std::size_t i = 0; i < parsed_.size(); ++i) {
      const Botan::X509_Certificate& issuer = i + 1 < parsed_.size() ? parsed_[i + 1] : root_;
      const auto key = issuer.subject_public_key();
      Botan::PK_Verifier verifier(*key, "SHA-256", Botan::Signature_Format::DerSequence);
      good_ = verifier.verify_message(parsed_[i].tbs_data(), parsed_[i].signature()) && good_;
    }
    const auto key = parsed_.front().subject_public_key();
    Botan::PK_Verifier verifier(*key, "SHA-256", Botan::Signature_Format::DerSequence);
    good_ = verifier.verify_message(content_, signature_) && good_;
  }

  /// The transcript with its four values, and HMAC 21 times, which is the key schedule without resumption: two secrets
  /// a step and three steps, two traffic secrets twice, key and IV four times, and both Finished.
  void hash() {
    const auto function = Botan::HashFunction::create_or_throw("SHA-256");
    std::array<std::uint8_t, 32> value{};
    for (int i = 0; i < 4; ++i) {
      function->update(
          std::span(flight_).subspan(flight_.size() / 4 * static_cast<std::size_t>(i), flight_.size() / 4));
      function->copy_state()->final(value);
    }
    const auto mac = Botan::MessageAuthenticationCode::create_or_throw("HMAC(SHA-256)");
    for (int i = 0; i < 21; ++i) {
      mac->set_key(value);
      mac->update(std::span(flight_).first(50)); // a label and a transcript's hash
      mac->final(value);
    }
    keep(value);
  }

  /// Four record keys; the server's flight opened, and the client's Finished sealed.
  void protect() {
    std::array<std::uint8_t, 16> key{};
    const std::array<std::uint8_t, 12> nonce{};
    for (const Botan::Cipher_Dir direction : {Botan::Cipher_Dir::Decryption, Botan::Cipher_Dir::Encryption}) {
      for (int i = 0; i < 2; ++i) {
        const auto mode = Botan::AEAD_Mode::create_or_throw("AES-128/GCM", direction);
        mode->set_key(key);
        if (i == 1)
          continue; // the application's keys are ready, and that is all
        mode->set_associated_data(std::span(nonce).first(5));
        mode->start(nonce);
        const bool opening = direction == Botan::Cipher_Dir::Decryption;
        mode->process(opening ? std::span(flight_) : std::span(flight_).first(37));
        if (opening)
          mode->reset(); // its tag would be wrong
        else
          mode->finish(tag_);
        tag_.clear();
      }
    }
  }

  [[nodiscard]] bool good() const { return good_; }

private:
  [[nodiscard]] bool has_curve25519() const { return group_ != bench::secp256r1; }
  /// So that nothing is left out for want of use.
  void keep(std::span<const std::uint8_t> bytes) { kept_ = kept_ + bytes[0]; }

  static constexpr Botan::ML_KEM_Mode::Mode kem_mode = Botan::ML_KEM_Mode::ML_KEM_768;
  Botan::System_RNG rng_;
  Botan::EC_Group p256_ = Botan::EC_Group::from_name("secp256r1");
  std::uint16_t group_;
  std::vector<std::vector<std::uint8_t>> chain_;
  Botan::X509_Certificate root_;
  std::vector<Botan::X509_Certificate> parsed_;
  std::vector<std::uint8_t> flight_;
  std::vector<std::uint8_t> content_;
  std::vector<std::uint8_t> signature_;
  std::vector<std::uint8_t> x25519_share_;
  std::vector<std::uint8_t> p256_share_;
  std::vector<std::uint8_t> ciphertext_;
  Botan::secure_vector<std::uint8_t> tag_;
  volatile unsigned kept_ = 0;
  bool good_ = true;
};

struct NamedLibrary {
  std::string name;
  std::unique_ptr<Library> implementation; ///< null when it cannot do this
  std::size_t measure = 0;
};

void measure(const Pki& pki, bool intermediate, std::uint16_t group, const char* group_name, const Options& options) {
  const ClientSetup setup = client_setup(pki, group, aes_128_gcm_sha256);
  ClientSetup remembering = setup;
  remembering.remember = true;
  const auto context = server_context(pki, group, aes_128_gcm_sha256);

  std::vector<NamedLibrary> clients;
  for (const LibraryEntry& entry : libraries())
    clients.push_back({entry.name, entry.make(setup), 0});
  clients.push_back({"tlsconnect, chain verified before", tlsconnect_library().make(remembering), 0});

  Rounds rounds;
  for (NamedLibrary& client : clients)
    if (client.implementation)
      client.measure = rounds.add([&] { return handshake(*client.implementation, context).client_time; });
  Primitives primitives(pki, group, handshake(*clients.front().implementation, context).received);
  struct Step {
    const char* name;
    void (Primitives::*run)();
    std::size_t measure;
  };
  std::array<Step, 5> steps{{{"key pairs, and the shared secret", &Primitives::exchange_keys, 0},
                             {"certificates parsed", &Primitives::parse_certificates, 0},
                             {"signatures verified, with their keys", &Primitives::verify_signatures, 0},
                             {"transcript and key schedule", &Primitives::hash, 0},
                             {"record keys, and the flight's records", &Primitives::protect, 0}}};
  for (Step& step : steps)
    step.measure = rounds.add([&primitives, run = step.run] { return cpu_time([&] { (primitives.*run)(); }); });
  rounds.run(options.rounds(200));
  if (!primitives.good())
    throw std::runtime_error("the primitives do not verify");

  heading(std::string("Handshake: ") + group_name + ", TLS_AES_128_GCM_SHA256, ECDSA P-256 chain of root, " +
          (intermediate ? "intermediate and server" : "and server"));
  std::puts("the primitives, by Botan's public interface");
  for (const Step& step : steps)
    std::printf("  %-38s %7.1f us\n", step.name, rounds.time(step.measure) / 1e3);
  const std::size_t ours = clients.front().measure;
  const auto ratio_to_sum = [&](bool parsing) {
    return rounds.combined([&](const std::vector<double>& turn) {
      double sum = 0;
      for (const Step& step : steps)
        if (parsing || step.run != &Primitives::parse_certificates)
          sum += turn[step.measure];
      return turn[ours] / sum;
    });
  };
  double all = 0;
  for (const Step& step : steps)
    all += rounds.time(step.measure);
  std::printf("  %-38s %7.1f us\n", "together", all / 1e3);

  std::puts("the client's CPU time");
  for (const NamedLibrary& client : clients) {
    if (!client.implementation) {
      std::printf("  %-38s %10s  this release does not have the group\n", client.name.c_str(), "");
      continue;
    }
    const double time = rounds.time(client.measure) / 1e3;
    if (client.measure == ours) {
      std::printf("  %-38s %7.1f us\n", client.name.c_str(), time);
      std::printf("  %-38s %10s  %s\n", "  / primitives", "", against(ratio_to_sum(true), Aim::at_most, 1.15).c_str());
      std::printf("  %-38s %10s  %.2f\n", "  / primitives without parsing", "", ratio_to_sum(false));
    } else if (&client == &clients.back()) {
      std::printf("  %-38s %7.1f us  this/tlsconnect: %.2f\n", client.name.c_str(), time,
                  rounds.ratio(client.measure, ours));
    } else {
      std::printf("  %-38s %7.1f us  tlsconnect/this: %s\n", client.name.c_str(), time,
                  against(rounds.ratio(ours, client.measure), Aim::below, 1).c_str());
    }
  }
}

} // namespace

bool run_handshake(const Options& options) {
  struct Group {
    std::uint16_t code;
    const char* name;
  };
  constexpr std::array<Group, 3> groups{
      {{x25519, "x25519"}, {bench::secp256r1, "secp256r1"}, {x25519_mlkem768, "X25519MLKEM768"}}};
  for (const bool intermediate : {false, true}) {
    const Pki pki = make_pki(intermediate);
    for (const Group& group : groups)
      measure(pki, intermediate, group.code, group.name, options);
  }
  std::printf("\n%sThese ratios hold for the releases named. OpenSSL and GnuTLS have assembly for X25519, P-256 and "
              "SHA-2 where\n"
              "Botan has C++; OpenSSL 3.0 in turn spends most of a handshake on looking up its own algorithms.\n",
              missing_libraries().c_str());
  return true;
}

} // namespace bench
