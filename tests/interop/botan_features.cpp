// Resumption, client certificates, key updates and exporters with Botan's TLS server.
#include "botan_meeting.hpp"

using namespace interop;

TEST_CASE("botan: resumption with every suite, with and without HelloRetryRequest") {
  for (const CipherSuite suite : every_suite)
    for (const bool retry : {false, true}) {
      INFO(name_of(suite) << ", retry: " << retry);
      test::BotanServerOptions options = botan_options();
      options.cipher_suites = {code(suite)};
      if (retry)
        options.groups = {code(NamedGroup::secp384r1)};
      const ContextPtr context = with_tickets(options);
      const auto store = std::make_shared<ByteStore>();
      const auto builder =
          keeping(store).groups({NamedGroup::x25519, NamedGroup::secp384r1}).key_shares({NamedGroup::x25519});
      Meeting first(context, builder);
      first.connected().talk();
      REQUIRE(store->size() == 2);
      for (int round = 0; round < 3; ++round) {
        INFO("round " << round);
        Meeting next(context, builder);
        next.connected().talk();
        CHECK(next.info().resumed());
        CHECK(next.server().resumed());
        CHECK(next.info().hello_retry_request == retry);
        CHECK(next.info().cipher_suite == suite);
        CHECK(next.info().peer_chain == first.info().peer_chain);
      }
      CHECK(store->broken() == 0);
    }
}

TEST_CASE("botan: when a session is not resumed") {
  test::BotanServerOptions options = botan_options();
  options.alpn = {"h2", "http/1.1"};
  const ContextPtr context = with_tickets(options);
  const auto store = std::make_shared<ByteStore>();
  Meeting(context, keeping(store).alpn({"h2"})).connected().talk();
  REQUIRE(store->size() == 2);

  SECTION("another server") {
    Meeting other(with_tickets(options), keeping(store).alpn({"h2"}));
    other.connected().talk();
    CHECK_FALSE(other.info().resumed());
    CHECK_FALSE(other.server().resumed());
  }
  SECTION("another name of the same server") {
    Meeting other(context, keeping(store).alpn({"h2"}), "127.0.0.1");
    other.connected().talk();
    CHECK_FALSE(other.info().resumed());
    CHECK_FALSE(other.server().resumed());
    CHECK(store->size() == 4);
  }
  SECTION("its protocol is not on offer") {
    Meeting other(context, keeping(store).alpn({"http/1.1"}));
    other.connected().talk();
    CHECK_FALSE(other.info().resumed());
    CHECK_FALSE(other.server().resumed());
  }
  SECTION("its protocol is on offer") {
    Meeting same(context, keeping(store).alpn({"http/1.1", "h2"}));
    same.connected().talk();
    CHECK(same.info().resumed());
    CHECK(same.server().resumed());
  }
  SECTION("judged again, by the same verifier, which may have changed its mind") {
    class Fickle final : public tc::CertificateVerifier {
    public:
      tc::Result<tc::VerifiedChain> verify(const tc::PresentedCertificate& presented, const tc::ServerName&,
                                           std::int64_t) const noexcept override {
        judged = presented.chain.size();
        if (refuses)
          return tc::fail(ErrorCode::certificate_rejected, "the test");
        return tc::VerifiedChain{{}, "accepted by the test"};
      }
      std::atomic<bool> refuses = false;
      mutable std::atomic<std::size_t> judged = 0;
    };
    const auto fickle = std::make_shared<Fickle>();
    const auto builder =
        keeping(std::make_shared<ByteStore>()).verifier(fickle).alpn({"h2"}).verify_again_on_resumption(true);
    Meeting(context, builder).connected().talk();
    CHECK(fickle->judged.exchange(0) == 2);
    Meeting again(context, builder);
    again.connected().talk();
    CHECK(again.info().resumed());
    CHECK(fickle->judged.exchange(0) == 2);
    CHECK(again.info().verification == "resumed; accepted by the test");
    // Not asked to judge again, it is not asked.
    fickle->refuses = true;
    Meeting(context, tc::ClientConfig::Builder(builder).verify_again_on_resumption(false)).connected().talk();
    CHECK(fickle->judged == 0);
    Meeting refusing(context, builder);
    const auto halt = refusing.meet();
    REQUIRE(halt.has_value());
    REQUIRE(halt->is_failed());
    CHECK(halt->error()->code() == ErrorCode::certificate_rejected);
    CHECK(refusing.server().alert_received().has_value());
  }
  SECTION("tickets that came long after the handshake") {
    Meeting late(context, keeping(store).alpn({"h2"}));
    late.connected().talk();
    const std::size_t before = store->size();
    CHECK(late.server().send_tickets(3) == 3);
    late.turn();
    late.talk();
    CHECK(store->size() == before + 3);
    Meeting next(context, keeping(store).alpn({"h2"}));
    next.connected().talk();
    CHECK(next.server().resumed());
  }
}

TEST_CASE("botan: early data comes back from a server that knows none") {
  const ContextPtr context = with_tickets();
  const auto store = std::make_shared<ByteStore>();
  Meeting(context, keeping(store)).connected().talk();
  auto [near_end, far_end] = tc::MemoryPipe::create(1'000'000);
  const std::string early = "twice is no harm";
  MemoryConnector connecting(built(keeping(store)), server_name(), std::move(near_end),
                             tc::replay_safe(tc::as_bytes(early)));
  test::BotanServer server(context);
  for (int turns = 0; turns < 10; ++turns) {
    auto stream = connecting.connect();
    std::uint8_t buffer[4'096];
    for (auto count = far_end.read_some(buffer); count; count = far_end.read_some(buffer))
      (void)server.feed({buffer, *count});
    const std::vector<std::uint8_t> output = server.take_output();
    for (tc::BytesView rest = output; !rest.empty();)
      rest = rest.subspan(far_end.write_some(rest).value());
    if (!stream)
      continue;
    CHECK(stream->info().resumed());
    CHECK(stream->info().early_data == tc::EarlyDataOutcome::not_sent);
    CHECK(tc::as_text(stream->take_unaccepted_early_data()) == early);
    CHECK(server.resumed());
    return;
  }
  FAIL("no connection");
}

TEST_CASE("botan: client certificates of every kind of key, signed at once and later") {
  check_client_certificates(botan_options());
  test::BotanServerOptions options = botan_options();
  options.require_client_certificate = true;
  const ContextPtr context = context_of(options);
  // A signature of another key.
  const test::Identity identity = client_identity(test::KeyType::p256);
  Meeting wrong(context, client().credentials({credential_that_signs_later(identity)}));
  REQUIRE(wrong.meet().has_value());
  const auto request = wrong.connecting().signature_request();
  REQUIRE(request.has_value());
  const test::Identity other =
      test::self_signed({.common_name = "other", .key = test::Key::fresh(test::KeyType::p256)});
  REQUIRE(wrong.connecting().give_signature(signature_for(*request, private_key(other))).has_value());
  REQUIRE_FALSE(wrong.meet().has_value()); // the client is done; the server has yet to see it
  wrong.turn();
  CHECK_FALSE(wrong.server().handshake_complete());
  CHECK_FALSE(wrong.server().failure().empty());
  std::uint8_t byte[1];
  auto end = wrong.stream().read_some(byte);
  REQUIRE_FALSE(end.has_value());
  REQUIRE(end.error().is_failed());
  CHECK(end.error().error()->code() == ErrorCode::alert_received);
}

TEST_CASE("botan: exporters say the same on both sides") {
  for (const CipherSuite suite : every_suite)
    for (const bool resumed : {false, true}) {
      INFO(name_of(suite) << ", resumed: " << resumed);
      const ContextPtr context = with_tickets();
      const auto builder = keeping(std::make_shared<ByteStore>()).cipher_suites({suite});
      if (resumed)
        Meeting(context, builder).connected().talk();
      Meeting meeting(context, builder);
      meeting.connected();
      CHECK(meeting.info().resumed() == resumed);
      const auto compare = [&] {
        for (const std::string_view label : {"EXPERIMENTAL one", "EXPORTER-Channel-Binding"})
          for (const std::string_view text : {"", "a context"})
            for (const std::size_t size : {1U, 32U, 100U}) {
              tc::ByteVector ours(size);
              REQUIRE(meeting.stream().export_keying_material(label, tc::as_bytes(text), ours).has_value());
              CHECK(ours == meeting.server().exported(label, text, size));
            }
      };
      compare();
      // Whatever becomes of the keys for data.
      REQUIRE(meeting.stream().update_keys(true).has_value());
      meeting.turn();
      meeting.talk();
      compare();
    }
}

TEST_CASE("botan: key updates of both sides in any order, under data") {
  for (const CipherSuite suite : every_suite) {
    INFO(name_of(suite));
    Meeting meeting(context_of(botan_options()), client().cipher_suites({suite}));
    meeting.connected();
    const std::string data = bulk_text(31, 40'000);
    // In each round the sides do what the bits of its number say.
    for (unsigned round = 0; round < 64; ++round) {
      INFO("round " << round);
      if (round & 1U) {
        REQUIRE(meeting.stream().update_keys((round & 2U) != 0).has_value());
      }
      if (round & 4U) {
        REQUIRE(meeting.server().update_keys((round & 8U) != 0));
      }
      if (round & 16U)
        meeting.turn();
      REQUIRE(meeting.stream().write_all(tc::as_bytes(data)).has_value());
      REQUIRE(meeting.server().send(data));
      if (round & 32U) {
        REQUIRE(meeting.stream().update_keys(false).has_value());
        REQUIRE(meeting.server().update_keys(false));
      }
      meeting.turn();
      const bool down = meeting.read(data.size()) == data;
      CHECK(down);
      meeting.turn();
      const bool up = tc::as_text(meeting.server().take_received()) == data;
      CHECK(up);
      CHECK(meeting.server().failure().empty());
    }
  }
}

TEST_CASE("botan: key updates while much data flows both ways over a socket") {
  constexpr std::size_t size = 8'000'000;
  const std::string up = bulk_text(32, size);
  const std::string down = bulk_text(33, size);
  std::string received;
  bool good = false;
  BotanTcpServer server(botan_options(), [&](BotanPeer& peer) {
    good = peer.handshake();
    // The client sends and receives at once; here one is enough, a piece of each in turn.
    for (std::size_t at = 0, round = 0; good && at < size; ++round) {
      const std::size_t count = std::min<std::size_t>(size - at, 50'000);
      good = peer.send(std::string_view(down).substr(at, count));
      at += count;
      if (good && round % 3 == 0)
        good = peer.tls().update_keys(round % 2 == 0) && peer.flush();
      if (good && received.size() < at)
        received += peer.read(count / 2);
    }
    if (good && received.size() < size)
      received += peer.read(size - received.size());
  });
  TcpStream stream = connected(connector(server.port(), client(), host, PosixSocket::Mode::non_blocking));
  std::size_t updates = 0;
  const Exchanged exchanged = exchange(
      stream, up, size,
      [&](std::size_t sent) {
        return sent / 100'000 > updates ? stream.update_keys(++updates % 2 == 0) : tc::IoResult<>();
      },
      [](std::size_t) {});
  const bool same_down = exchanged.received == down;
  const std::string problem = exchanged.problem ? exchanged.problem->message() : "";
  (void)stream.shutdown();
  server.join();
  CHECK(problem.empty());
  CHECK(good);
  CHECK(same_down);
  const bool same_up = received == up;
  CHECK(same_up);
  CHECK(updates >= 75);
}

TEST_CASE("botan: record_size_limit in both directions") {
  for (const std::uint16_t theirs : {std::uint16_t{64}, std::uint16_t{1'000}, std::uint16_t{16'385}})
    for (const std::uint16_t ours : {std::uint16_t{64}, std::uint16_t{700}, std::uint16_t{16'385}}) {
      INFO("the server takes " << theirs << ", the client " << ours);
      test::BotanServerOptions options = botan_options();
      options.record_size_limit = theirs;
      Meeting meeting(with_tickets(options), client().record_size_limit(ours));
      meeting.connected();
      const std::uint64_t sent = meeting.info().records_sent;
      const std::uint64_t received = meeting.info().records_received;
      const std::string data = bulk_text(34, 20'000);
      meeting.talk(data);
      // One byte of the limit is for the content type. (Tickets that were still on their way are counted, too.)
      const auto records = [&](std::uint16_t limit) { return (data.size() + limit - 2U) / (limit - 1U); };
      CHECK(meeting.info().records_sent - sent == records(theirs));
      CHECK(meeting.info().records_received - received >= records(ours));
    }
}

TEST_CASE("botan: padded records of the client") {
  Meeting meeting(context_of(botan_options()), client().record_padding(512));
  meeting.connected();
  const std::uint64_t before = meeting.info().bytes_sent;
  for (int round = 0; round < 5; ++round)
    meeting.talk();
  CHECK(meeting.info().bytes_sent - before == 5 * (5 + 512 + 16));
}

TEST_CASE("botan: external and imported pre-shared keys, with and without HelloRetryRequest") {
  const std::string secret = "sixteen bytes and sixteen bytes.";
  const auto made = [](tc::Result<tc::ExternalPsk> psk) {
    REQUIRE(psk.has_value());
    return std::move(*psk);
  };
  auto imported = tc::ExternalPsk::import_from(
      {.external_identity = tc::as_bytes("to import"), .context = {}, .key = tc::as_bytes(secret)});
  REQUIRE(imported.has_value());
  REQUIRE(imported->size() == 2);
  std::vector<tc::ExternalPsk> ours = {
      made(tc::ExternalPsk::create(tc::as_bytes("unknown"), tc::as_bytes(secret))),
      made(tc::ExternalPsk::create(tc::as_bytes("short"), tc::as_bytes(secret))),
      made(tc::ExternalPsk::create(tc::as_bytes("long"), tc::as_bytes(secret), tc::HashAlgorithm::sha384))};
  ours.insert(ours.end(), imported->begin(), imported->end());

  const auto as_server = [](const tc::ExternalPsk& psk) {
    return test::BotanPsk{.identity = std::string(tc::as_text(psk.identity())),
                          .key = tc::to_vector(psk.key()),
                          .hash = psk.hash() == tc::HashAlgorithm::sha256 ? "SHA-256" : "SHA-384",
                          .imported = psk.imported()};
  };
  for (std::size_t chosen = 1; chosen < ours.size(); ++chosen)
    for (const bool retry : {false, true}) {
      INFO("key " << chosen << ", retry: " << retry);
      test::BotanServerOptions options = botan_options();
      options.psks = {as_server(ours[chosen])};
      const bool shorter = ours[chosen].hash() == tc::HashAlgorithm::sha256;
      options.cipher_suites = {code(shorter ? CipherSuite::aes_128_gcm_sha256 : CipherSuite::aes_256_gcm_sha384)};
      if (retry)
        options.groups = {code(NamedGroup::secp384r1)};
      const ContextPtr context = with_tickets(options);
      // Without any trust in certificates.
      const auto store = std::make_shared<ByteStore>();
      const auto builder = tc::ClientConfig::builder()
                               .external_psks(ours)
                               .session_store(store)
                               .groups({NamedGroup::x25519, NamedGroup::secp384r1})
                               .key_shares({NamedGroup::x25519});
      Meeting meeting(context, builder);
      meeting.connected().talk();
      CHECK(meeting.info().psk == tc::PskUse::external);
      CHECK(meeting.info().external_psk == static_cast<std::uint16_t>(chosen));
      CHECK(meeting.info().hello_retry_request == retry);
      CHECK(meeting.info().peer_chain.empty());
      // And what follows from it can be resumed.
      Meeting next(context, builder);
      next.connected().talk();
      CHECK(next.info().resumed());
      CHECK(store->broken() == 0);

      // The same name for another key.
      options.psks.front().key.front() ^= 1;
      Meeting wrong(context_of(options), tc::ClientConfig::Builder(builder).session_store(nullptr));
      const auto halt = wrong.meet();
      REQUIRE(halt.has_value());
      REQUIRE(halt->is_failed());
      CHECK(halt->error()->code() == ErrorCode::alert_received);
    }
}

TEST_CASE("botan: a session that rests on an external key serves no configuration without that key") {
  const auto psk = [](std::string_view identity, std::string_view key) {
    auto made = tc::ExternalPsk::create(tc::as_bytes(identity), tc::as_bytes(key));
    REQUIRE(made.has_value());
    return std::vector<tc::ExternalPsk>{*made};
  };
  const std::string first = "sixteen bytes and sixteen bytes.";
  const std::string second = "sixteen bytes and other sixteen.";
  test::BotanServerOptions options = botan_options();
  options.psks = {{.identity = "first", .key = {first.begin(), first.end()}}};
  options.cipher_suites = {code(CipherSuite::aes_128_gcm_sha256)};
  const ContextPtr context = with_tickets(options);
  const auto store = std::make_shared<ByteStore>();

  // One that trusts certificates as well, and one that trusts nothing but them.
  Meeting both(context, keeping(store).external_psks(psk("first", first)));
  both.connected().talk();
  CHECK(both.info().psk == tc::PskUse::external);
  REQUIRE(store->size() == 2);
  Meeting certificates(context, keeping(store));
  certificates.connected().talk();
  CHECK(certificates.info().psk == tc::PskUse::none);
  CHECK_FALSE(certificates.info().peer_chain.empty());

  // Two that trust one key each.
  const auto other_store = std::make_shared<ByteStore>();
  const auto only = [&](std::vector<tc::ExternalPsk> keys) {
    return tc::ClientConfig::builder().external_psks(std::move(keys)).session_store(other_store);
  };
  Meeting(context, only(psk("first", first))).connected().talk();
  REQUIRE(other_store->size() == 2);
  Meeting same(context, only(psk("first", first)));
  same.connected().talk();
  CHECK(same.info().resumed());
  Meeting stranger(context, only(psk("second", second)));
  const auto halt = stranger.meet();
  REQUIRE(halt.has_value());
  CHECK(halt->is_failed());
  CHECK(other_store->size() > 0);
}
