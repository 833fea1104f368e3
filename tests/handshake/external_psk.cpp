// Keys that both sides have from elsewhere (RFC 9846, 4.2.11; RFC 9257; RFC 9258).
#include <array>

#include <tlsconnect/client/psk.hpp>
#include <tlsconnect/crypto/kdf.hpp>

#include "sessions.hpp"

using namespace test;
using tlsconnect::ClientConfig;
using tlsconnect::ExternalPsk;
using tlsconnect::limits::ticket_lifetime;

namespace {

const ByteVector external_key(32, 0x77);
ExternalPsk external(std::string_view identity, HashAlgorithm hash = HashAlgorithm::sha256) {
  return value_of(ExternalPsk::create(tlsconnect::as_bytes(identity), external_key, hash));
}
KnownPsk known(const ExternalPsk& psk) {
  return {tlsconnect::to_vector(psk.identity()), tlsconnect::to_vector(psk.key()),
          psk.hash() == HashAlgorithm::sha256 ? aes128 : aes256,
          psk.imported() ? PskOrigin::imported : PskOrigin::external};
}
/// Trusts nothing but keys.
TalkOptions with_keys_only(std::vector<ExternalPsk> psks, ServerOptions server = {}) {
  return {.server = std::move(server), .configure = [psks = std::move(psks)](ClientConfig::Builder& builder) {
            builder.verifier(nullptr).external_psks(psks);
          }};
}

} // namespace

TEST_CASE("a connection on an external key", "[psk][external]") {
  const ExternalPsk psk = external("the key");
  Talk talk(with_keys_only({psk}, {.psks = {known(psk)}}));
  REQUIRE(talk.server.hello().psks.size() == 1);
  CHECK(tlsconnect::as_text(talk.server.hello().psks[0].identity) == "the key");
  CHECK(talk.server.hello().psks[0].age == 0); // RFC 9846, 4.2.11: it has no age
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  const tlsconnect::ConnectionInfo& info = talk.client.info();
  CHECK(info.psk == PskUse::external);
  CHECK(info.external_psk == 0);
  CHECK(!info.resumed());
  CHECK(info.peer_chain.empty());
  CHECK(info.verification == "the server holds the external pre-shared key");
  check_data_both_ways(talk);
}

TEST_CASE("the server chooses among external keys", "[psk][external]") {
  const std::vector<ExternalPsk> psks{external("a"), external("b", HashAlgorithm::sha384), external("c")};
  for (std::uint16_t i = 0; i < 3; ++i) {
    Talk talk(with_keys_only(psks, {.suite = i == 1 ? aes256 : aes128, .psks = {known(psks[i])}}));
    REQUIRE(talk.server.hello().psks.size() == 3);
    CHECK(talk.server.hello().psks[1].binder.size() == 48);
    CHECK(talk.server.hello().psks[2].binder.size() == 32);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().external_psk == i);
  }
}

TEST_CASE("a session comes before external keys", "[psk][external]") {
  const ExternalPsk psk = external("the key");
  Client client{.configure = [&](auto& builder) { builder.external_psks({psk}); }};
  const KnownPsk ticket = client.establish();
  for (const bool session : {true, false}) {
    Client copy{.configure = client.configure};
    const KnownPsk own = copy.establish();
    Talk talk = copy.talk({.psks = {session ? own : known(psk)}});
    REQUIRE(talk.server.hello().psks.size() == 2);
    CHECK(talk.server.hello().psks[0].identity == own.identity);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().psk == (session ? PskUse::resumption : PskUse::external));
    CHECK(talk.client.info().external_psk == (session ? std::nullopt : std::optional<std::uint16_t>(0)));
    CHECK(talk.client.info().peer_chain.size() == (session ? 1U : 0U));
  }
}

TEST_CASE("a session and as many external keys as there may be", "[psk][external]") {
  std::vector<ExternalPsk> psks;
  for (std::size_t i = 0; i + 1 < tlsconnect::limits::offered_psks; ++i)
    psks.push_back(external(std::string(1, static_cast<char>('a' + i))));
  Client client{.configure = [&](auto& builder) { builder.external_psks(psks); }};
  (void)client.establish();
  Talk talk = client.talk({.psks = {known(psks.back())}});
  CHECK(talk.server.hello().psks.size() == tlsconnect::limits::offered_psks);
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().external_psk == psks.size() - 1);
}

TEST_CASE("imported keys", "[psk][external]") {
  const ByteVector secret(40, 0x31);
  const tlsconnect::PskImport source{tlsconnect::as_bytes("meter 17"), tlsconnect::as_bytes("context"), secret};
  const std::vector<ExternalPsk> psks = value_of(ExternalPsk::import_from(source));
  REQUIRE(psks.size() == 2);
  for (const ExternalPsk& psk : psks) {
    Talk talk(with_keys_only(psks, {.suite = known(psk).suite, .psks = {known(psk)}}));
    REQUIRE(talk.server.hello().psks.size() == 2);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().psk == PskUse::external);
    CHECK(talk.client.info().external_psk == (psk.hash() == HashAlgorithm::sha256 ? 0 : 1));
  }
}

TEST_CASE("binders by the book", "[psk][external]") {
  // RFC 9846, 4.2.11.2 and 7.1; RFC 9258, 5.2: from the primitives, without the library's key schedule.
  const ByteVector secret(40, 0x31);
  const tlsconnect::PskImport source{tlsconnect::as_bytes("meter 17"), {}, secret};
  const std::array<HashAlgorithm, 1> target{HashAlgorithm::sha384};
  Client client{.configure = [&](auto& builder) {
    builder.external_psks({external("plain"), value_of(ExternalPsk::import_from(source, target))[0]});
  }};
  const KnownPsk ticket = client.establish();
  Talk talk = client.talk();
  const SeenHello& hello = talk.server.hello();
  REQUIRE(hello.psks.size() == 3);
  const BytesView truncated = BytesView(hello.message).first(hello.message.size() - (2 + 33 + 33 + 49));

  const auto expected = [&](HashAlgorithm hash, BytesView key, std::string_view label) {
    const std::size_t size = tlsconnect::hash_length(hash);
    const ByteVector zeros(size, 0);
    ByteVector early(size), binder_key(size), finished_key(size), binder(size);
    value_of(tlsconnect::hkdf_extract(hash, zeros, key, early));
    value_of(
        tlsconnect::hkdf_expand_label(hash, early, label, value_of(tlsconnect::hash_of(hash, {})).view(), binder_key));
    value_of(tlsconnect::hkdf_expand_label(hash, binder_key, "finished", {}, finished_key));
    value_of(tlsconnect::hmac(hash, finished_key, value_of(tlsconnect::hash_of(hash, truncated)).view(), binder));
    return binder;
  };
  const ExternalPsk imported = value_of(ExternalPsk::import_from(source, target))[0];
  CHECK(hello.psks[0].binder == expected(HashAlgorithm::sha256, ticket.key, "res binder"));
  CHECK(hello.psks[1].binder == expected(HashAlgorithm::sha256, external_key, "ext binder"));
  CHECK(hello.psks[2].binder == expected(HashAlgorithm::sha384, imported.key(), "imp binder"));
}

TEST_CASE("a client that trusts only keys refuses certificates", "[psk][external]") {
  const ExternalPsk psk = external("the key");
  Talk talk(with_keys_only({psk}, {.psks = {known(psk)}, .decline_psks = true}));
  talk.handshake();
  CHECK(outcome_of(talk) == refused(ErrorCode::certificate_rejected, Alert::unsupported_certificate));
  // Also one that it would trust otherwise, and one with a request before it.
  Talk request(with_keys_only({psk}, {.request_certificate = true, .psks = {known(psk)}, .decline_psks = true}));
  request.handshake();
  CHECK(outcome_of(request) == refused(ErrorCode::certificate_rejected, Alert::unsupported_certificate));
}

TEST_CASE("a client with keys and trust takes certificates too", "[psk][external]") {
  const ExternalPsk psk = external("the key");
  Talk talk({.configure = [&](auto& builder) { builder.external_psks({psk}); }, .quick = false});
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().psk == PskUse::none);
  CHECK(!talk.client.info().external_psk);
  CHECK(talk.client.info().peer_chain.size() == 1);
}

TEST_CASE("sessions that rest on an external key", "[psk][external]") {
  const ExternalPsk psk = external("the key");
  Client client{.configure = [&](auto& builder) { builder.external_psks({psk}); }};
  const auto establish = [&] { return client.establish({.lifetime = ticket_lifetime}, {.psks = {known(psk)}}); };
  KnownPsk ticket = establish();
  REQUIRE(client.store->kept.size() == 1);
  CHECK(client.store->kept[0].second.peer_chain.empty());
  CHECK(client.store->kept[0].second.usable_until == client.clock->now() + std::int64_t{ticket_lifetime} * 1'000);
  Talk talk = client.talk({.psks = {ticket}});
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().resumed());
  CHECK(!talk.client.info().external_psk);
  CHECK(talk.client.info().peer_chain.empty());

  // Its successors end when it does.
  const std::int64_t end = client.clock->now() + std::int64_t{ticket_lifetime} * 1'000;
  client.clock->advance(1'000);
  (void)talk.server.issue_ticket({});
  talk.exchange();
  REQUIRE(client.store->kept.size() == 1);
  CHECK(client.store->kept[0].second.usable_until == end);

  // They are not for a configuration that knows the key not, or another: such a server has never shown it a certificate.
  client.store->kept.clear();
  ticket = establish();
  for (const auto& keys : {std::vector<ExternalPsk>{}, std::vector<ExternalPsk>{external("another")}}) {
    Client other{
        .clock = client.clock, .store = client.store, .configure = [&](auto& builder) { builder.external_psks(keys); }};
    for (const SeenPsk& offered : next_offer(other))
      CHECK(offered.identity != ticket.identity);
  }
  const std::vector<SeenPsk> offer = next_offer(client);
  REQUIRE(offer.size() == 2);
  CHECK(offer[0].identity == ticket.identity);
}
