// Pre-shared keys in TLS 1.2 (RFC 4279; RFC 5489).
#include <string>
#include <vector>

#include "support.hpp"

using namespace test;

namespace {

using enum CipherSuite;

const Outcome unexpected = refused(ErrorCode::unexpected_message, Alert::unexpected_message);
const Outcome trailing = refused(ErrorCode::message_trailing_bytes, Alert::decode_error);
const Outcome truncated_message = refused(ErrorCode::message_truncated, Alert::decode_error);

TalkOptions12 sharing(CipherSuite suite) { return {.server = {.psk = shared_psk()}, .configure = with_psk({suite})}; }
TalkOptions12 plain_psk(bool hint) {
  TalkOptions12 options = sharing(psk_aes_128_gcm_sha256);
  if (hint)
    options.server.psk_hint = "hint";
  return options;
}

} // namespace

TEST_CASE("TLS 1.2: both sides must have the same pre-shared key", "[psk12]") {
  for (const CipherSuite suite : {ecdhe_psk_aes_128_gcm_sha256, psk_aes_128_gcm_sha256}) {
    TalkOptions12 options = sharing(suite);
    options.server.psk->back() ^= 1U;
    Talk12 talk(options);
    Plan12 last;
    for (const char* name : {"ChangeCipherSpec", "write keys", "Finished"}) {
      last.append(talk.plan[name]);
      talk.plan.drop(name);
    }
    talk.server.run(talk.plan);
    talk.to_client();
    CHECK_THROWS(talk.to_server());
    talk.server.run(last);
    talk.to_client();
    REQUIRE(talk.client.failure());
    CHECK(talk.client.failure()->code() == ErrorCode::bad_record_mac);
  }
}

TEST_CASE("TLS 1.2: suites with a pre-shared key are offered by those who have one", "[psk12]") {
  const auto offers_psk = [](const Talk12& talk) {
    const auto& suites = talk.server.hello().fields.cipher_suites;
    for (std::size_t i = 0; i < suites.size(); ++i)
      if (const auto suite = tlsconnect::parameters12_of(suites[i]);
          suite && suite->authentication == tlsconnect::Authentication12::psk)
        return true;
    return false;
  };
  CHECK(!offers_psk(Talk12()));
  CHECK(offers_psk(Talk12(sharing(ecdhe_psk_aes_128_gcm_sha256))));
  // A server that selects one all the same.
  for (const CipherSuite suite : {ecdhe_psk_aes_128_gcm_sha256, psk_aes_128_gcm_sha256})
    CHECK(handshake12_with([](Plan12&) {}, {.server = {.suite = suite, .psk = shared_psk()}}) ==
          refused(ErrorCode::cipher_suite_not_offered, Alert::illegal_parameter));
}

TEST_CASE("TLS 1.2: the first key of the suite's hash is used", "[psk12]") {
  Talk12 talk({.server = {.psk = shared_psk()}, .configure = [](auto& builder) {
                 const auto one = [](std::string_view name, std::uint8_t byte, HashAlgorithm hash) {
                   return value_of(
                       tlsconnect::ExternalPsk::create(tlsconnect::as_bytes(name), ByteVector(32, byte), hash));
                 };
                 builder.cipher_suites({ecdhe_psk_aes_128_gcm_sha256, ecdhe_psk_aes_256_gcm_sha384})
                     .external_psks({one("other", 1, HashAlgorithm::sha384), one("client", 0xA7, HashAlgorithm::sha256),
                                     one("third", 2, HashAlgorithm::sha256)});
               }});
  talk.handshake();
  CHECK(outcome_of(talk) == connected());
  CHECK(talk.client.info().external_psk == 1);
  CHECK(talk.client.info().verification == "the server holds the external pre-shared key");
}

TEST_CASE("TLS 1.2: with a pre-shared key the server shows and asks nothing", "[psk12]") {
  for (const CipherSuite suite : {ecdhe_psk_aes_128_gcm_sha256, psk_aes_128_gcm_sha256})
    for (const HandshakeType type :
         {HandshakeType::certificate, HandshakeType::certificate_status, HandshakeType::certificate_request,
          HandshakeType::finished, HandshakeType::new_session_ticket, HandshakeType::hello_request})
      for (const char* name : {"ServerHelloDone", "ServerKeyExchange"}) {
        TalkOptions12 options = sharing(suite);
        options.server.psk_hint = "hint";
        CHECK(handshake12_with([&](Plan12& plan) { plan.before(name, Step12::message("more", type, ByteVector{})); },
                               options) == unexpected);
      }
}

TEST_CASE("TLS 1.2: ServerKeyExchange with a pre-shared key alone is a hint, and may be missing", "[psk12]") {
  CHECK(handshake12_with([](Plan12&) {}, plain_psk(false)) == connected());
  CHECK(handshake12_with([](Plan12&) {}, plain_psk(true)) == connected());
  CHECK(handshake12_with([](Plan12& plan) { plan.repeat("ServerKeyExchange"); }, plain_psk(true)) == unexpected);
  const auto body_with = [](const ByteVector& body) {
    return handshake12_with([&](Plan12& plan) { plan["ServerKeyExchange"].replace(body); }, plain_psk(true));
  };
  CHECK(body_with({0, 0}) == connected());
  CHECK(body_with({}) == truncated_message);
  CHECK(body_with({0, 1}) == truncated_message);
  CHECK(body_with({0, 1, 'x', 0}) == trailing);
  // As with a curve.
  CHECK(body_with({0, 0, 3, 0, 29, 0}) == trailing);
  ByteVector longest(2 + 1'024, 'h');
  longest[0] = 4;
  longest[1] = 0;
  CHECK(body_with(longest) == connected());
  longest[1] = 1;
  longest.push_back('h');
  CHECK(body_with(longest) == refused(ErrorCode::field_out_of_range, Alert::decode_error));
}

TEST_CASE("TLS 1.2: ServerKeyExchange with a pre-shared key and a curve", "[psk12]") {
  const TalkOptions12 options = sharing(ecdhe_psk_aes_128_gcm_sha256);
  const auto with = [&](std::function<void(KeyExchangeDraft&)> change) {
    return handshake12_with(
        [&](Plan12& plan) {
          plan["ServerKeyExchange"].body = [change](ScriptedServer12& server) {
            return server.key_exchange_with(change);
          };
        },
        options);
  };
  CHECK(with([](KeyExchangeDraft&) {}) == connected());
  CHECK(with([](KeyExchangeDraft& draft) { draft.group = NamedGroup::secp384r1; }) ==
        refused(ErrorCode::group_not_offered, Alert::illegal_parameter));
  CHECK(with([](KeyExchangeDraft& draft) { draft.curve_type = 1; }) ==
        refused(ErrorCode::field_out_of_range, Alert::decode_error));
  CHECK(with([](KeyExchangeDraft& draft) { draft.point.assign(32, 0); }) ==
        refused(ErrorCode::key_share_invalid, Alert::illegal_parameter));
  CHECK(with([](KeyExchangeDraft& draft) { draft.trailing = {0}; }) == trailing);
  CHECK(with([](KeyExchangeDraft& draft) { draft.hint.reset(); }) != connected());
  CHECK(handshake12_with([](Plan12& plan) { plan.drop("ServerKeyExchange"); }, options) == unexpected);
  CHECK(handshake12_with([](Plan12& plan) { plan.repeat("ServerKeyExchange"); }, options) == unexpected);
  for (const NamedGroup group : {NamedGroup::x25519, NamedGroup::secp256r1}) {
    TalkOptions12 other = options;
    other.server.group = group;
    Talk12 talk(other);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().group == group);
  }
}

TEST_CASE("TLS 1.2: sessions of a pre-shared key are resumed", "[psk12]") {
  for (const ServerOptions12& way : {by_id(), by_ticket()}) {
    ServerOptions12 options = way;
    options.psk = shared_psk();
    Returning12 returning(options, {.configure = with_psk({ecdhe_psk_aes_128_gcm_sha256})});
    Talk12 talk = returning.talk();
    REQUIRE(talk.server.resumed() != nullptr);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().psk == PskUse::resumption);
    check_data_both_ways(talk);
  }
}

TEST_CASE("TLS 1.2: certificates and pre-shared keys side by side", "[psk12]") {
  for (const bool psk : {false, true}) {
    TalkOptions12 options = {.configure = with_psk({ecdsa_aes128, ecdhe_psk_aes_128_gcm_sha256})};
    if (psk)
      options.server.psk = shared_psk();
    Talk12 talk(options);
    talk.handshake();
    CHECK(outcome_of(talk) == connected());
    CHECK(talk.client.info().psk == (psk ? PskUse::external : PskUse::none));
    CHECK(talk.client.info().peer_chain.empty() == psk);
  }
}
