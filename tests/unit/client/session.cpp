// Session: its age and its serialised form.
#include <catch2/catch_test_macros.hpp>

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <tlsconnect/base/limits.hpp>
#include <tlsconnect/client/session.hpp>
#include <tlsconnect/crypto/hash.hpp>

namespace tls = tlsconnect;
using tls::BytesView;
using tls::ByteVector;
using tls::Session;

namespace {

// What must not compile: a second copy of a secret.
static_assert(!std::is_copy_constructible_v<Session>);
static_assert(!std::is_copy_assignable_v<Session>);
static_assert(std::is_nothrow_move_constructible_v<Session>);
static_assert(std::is_nothrow_move_assignable_v<Session>);

constexpr std::int64_t second = 1'000;
constexpr std::int64_t first_time = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t last_time = std::numeric_limits<std::int64_t>::max();

ByteVector counted(std::size_t count, unsigned first) {
  ByteVector bytes(count);
  for (std::size_t i = 0; i < count; ++i)
    bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}

/// A session in which no two fields have the same content.
Session full_session() {
  Session session;
  session.version = tls::ProtocolVersion::tls1_3;
  session.cipher_suite = tls::CipherSuite::aes_256_gcm_sha384;
  session.secret = tls::SessionSecret(counted(48, 0x10));
  session.ticket = counted(70, 0x60);
  session.lifetime = 7'200;
  session.age_add = 0xDEADBEEF;
  session.received_at = 1'760'000'000'123;
  session.usable_until = 1'760'400'000'456;
  session.max_early_data = 16'384;
  session.server_name = "www.example.com";
  session.trust_identity = counted(32, 0xC0);
  session.application_protocol = "h2";
  session.group = tls::NamedGroup::x25519_mlkem768;
  session.signature_scheme = tls::SignatureScheme::ed25519;
  session.peer_chain.push_back({counted(40, 1), counted(5, 0x41), counted(3, 0x51)});
  session.peer_chain.push_back({counted(30, 2), {}, {}});
  return session;
}

/// A session of TLS 1.2 that was known by its id.
Session session_of_12() {
  Session session;
  session.version = tls::ProtocolVersion::tls1_2;
  session.cipher_suite = static_cast<tls::CipherSuite>(0xC02F);
  session.secret = tls::SessionSecret(counted(48, 0x20));
  session.session_id = counted(32, 0x90);
  session.lifetime = 300;
  session.received_at = 5;
  session.usable_until = 6;
  session.server_name = "2001:db8::1";
  session.extended_main_secret = true;
  session.peer_chain.push_back({{1}, {}, {}});
  return session;
}

/// As little as a session can hold.
Session small_session() {
  Session session;
  session.secret = tls::SessionSecret(counted(32, 1));
  session.ticket = {7};
  session.server_name = "a";
  return session;
}

void check_same(const Session& a, const Session& b) {
  CHECK(a.version == b.version);
  CHECK(a.cipher_suite == b.cipher_suite);
  CHECK(tls::equal(a.secret.view(), b.secret.view()));
  CHECK(a.ticket == b.ticket);
  CHECK(a.session_id == b.session_id);
  CHECK(a.lifetime == b.lifetime);
  CHECK(a.age_add == b.age_add);
  CHECK(a.received_at == b.received_at);
  CHECK(a.usable_until == b.usable_until);
  CHECK(a.max_early_data == b.max_early_data);
  CHECK(a.server_name == b.server_name);
  CHECK(a.trust_identity == b.trust_identity);
  CHECK(a.application_protocol == b.application_protocol);
  CHECK(a.group == b.group);
  CHECK(a.signature_scheme == b.signature_scheme);
  CHECK(a.extended_main_secret == b.extended_main_secret);
  CHECK(a.raw_public_key == b.raw_public_key);
  REQUIRE(a.peer_chain.size() == b.peer_chain.size());
  for (std::size_t i = 0; i < a.peer_chain.size(); ++i) {
    CHECK(a.peer_chain[i].der == b.peer_chain[i].der);
    CHECK(a.peer_chain[i].ocsp_response == b.peer_chain[i].ocsp_response);
    CHECK(a.peer_chain[i].sct_list == b.peer_chain[i].sct_list);
  }
}

ByteVector serialised(const Session& session) {
  auto bytes = session.serialise();
  INFO((bytes ? std::string() : bytes.error().message()));
  REQUIRE(bytes);
  return *bytes;
}

void append(ByteVector& to, BytesView bytes) { to.insert(to.end(), bytes.begin(), bytes.end()); }

void append_number(ByteVector& to, std::uint64_t value, std::size_t width) {
  for (std::size_t i = width; i > 0; --i)
    to.push_back(static_cast<std::uint8_t>(value >> (8 * (i - 1))));
}

void append_field(ByteVector& to, BytesView bytes, std::size_t width) {
  append_number(to, bytes.size(), width);
  append(to, bytes);
}

/// The format written out by hand, so that each field can be given a value that no Session would write.
struct ByHand {
  std::string magic = "TLSCSESS";
  std::uint64_t format = 1;
  std::uint64_t version = 0x0304;
  std::uint64_t cipher_suite = 0x1302;
  std::uint64_t flags = 0;
  ByteVector secret = counted(48, 0x10);
  ByteVector ticket = counted(70, 0x60);
  ByteVector session_id;
  std::uint64_t lifetime = 7'200;
  std::uint64_t age_add = 0xDEADBEEF;
  std::uint64_t received_at = 1'760'000'000'123;
  std::uint64_t usable_until = 1'760'400'000'456;
  std::uint64_t max_early_data = 16'384;
  std::string server_name = "www.example.com";
  ByteVector trust_identity = counted(32, 0xC0);
  std::string application_protocol = "h2";
  std::uint64_t group = 0x11EC;
  std::uint64_t signature_scheme = 0x0807;
  std::vector<std::array<ByteVector, 3>> chain = {{counted(40, 1), counted(5, 0x41), counted(3, 0x51)},
                                                  {counted(30, 2), {}, {}}};
  ByteVector trailing;

  [[nodiscard]] ByteVector bytes() const {
    ByteVector out;
    append(out, tls::as_bytes(magic));
    append_number(out, format, 2);
    append_number(out, version, 2);
    append_number(out, cipher_suite, 2);
    append_number(out, flags, 1);
    append_field(out, secret, 1);
    append_field(out, ticket, 2);
    append_field(out, session_id, 1);
    append_number(out, lifetime, 4);
    append_number(out, age_add, 4);
    append_number(out, received_at, 8);
    append_number(out, usable_until, 8);
    append_number(out, max_early_data, 4);
    append_field(out, tls::as_bytes(server_name), 1);
    append_field(out, trust_identity, 1);
    append_field(out, tls::as_bytes(application_protocol), 1);
    append_number(out, group, 2);
    append_number(out, signature_scheme, 2);
    ByteVector entries;
    for (const auto& [der, ocsp_response, sct_list] : chain) {
      append_field(entries, der, 3);
      append_field(entries, ocsp_response, 3);
      append_field(entries, sct_list, 2);
    }
    append_field(out, entries, 3);
    append(out, trailing);
    const auto checksum = tls::hash_of(tls::HashAlgorithm::sha256, out);
    REQUIRE(checksum);
    append(out, checksum->view());
    return out;
  }
};

void check_unreadable(const tls::Result<Session>& result, std::string_view reason) {
  REQUIRE_FALSE(result);
  CHECK(result.error().code() == tls::ErrorCode::session_unreadable);
  CHECK_FALSE(result.error().alert_sent());
  INFO(result.error().message());
  CHECK(result.error().detail().find(reason) != std::string_view::npos);
}

/// `change` makes the session wrong: neither is it written, nor read when somebody else wrote it.
template <class ChangeBytes, class ChangeSession>
void check_wrong(ChangeBytes&& change_bytes, ChangeSession&& change_session, std::string_view reason) {
  ByHand hand;
  change_bytes(hand);
  check_unreadable(Session::parse(hand.bytes()), reason);

  Session session = full_session();
  change_session(session);
  const auto written = session.serialise();
  REQUIRE_FALSE(written);
  CHECK(written.error().code() == tls::ErrorCode::session_unreadable);
}

} // namespace

TEST_CASE("a session is used within its lifetime and no longer", "[session]") {
  Session session = small_session();
  session.received_at = 1'000'000;
  session.usable_until = last_time;
  session.lifetime = 100;
  CHECK_FALSE(session.expired(1'000'000));
  CHECK_FALSE(session.expired(1'000'000 + 100 * second - 1));
  CHECK(session.expired(1'000'000 + 100 * second));
  CHECK(session.expired(last_time));
}

TEST_CASE("a lifetime of zero means not at all", "[session]") {
  Session session = small_session();
  session.received_at = 1'000'000;
  session.usable_until = last_time;
  session.lifetime = 0;
  CHECK(session.expired(1'000'000));
  CHECK(session.expired(1'000'000 - 1));
}

TEST_CASE("no session is used for more than seven days, whatever the server says", "[session]") {
  Session session = small_session();
  session.received_at = 1'000'000;
  session.usable_until = last_time;
  session.lifetime = 0xFFFF'FFFF;
  CHECK_FALSE(session.expired(1'000'000 + 604'800 * second - 1));
  CHECK(session.expired(1'000'000 + 604'800 * second));
}

TEST_CASE("a session ends with what its server's identity rests on", "[session]") {
  Session session = small_session();
  session.received_at = 1'000'000;
  session.lifetime = 100;
  CHECK(session.expired(1'000'000)); // nothing is said of an identity
  session.usable_until = 1'000'000 + 50;
  CHECK_FALSE(session.expired(1'000'000 + 49));
  CHECK(session.expired(1'000'000 + 50));
  CHECK(session.expired(1'000'000 + 51));
}

TEST_CASE("a clock that was set back makes a session unusable, a small correction does not", "[session]") {
  Session session = small_session();
  session.received_at = 1'000'000;
  session.usable_until = last_time;
  session.lifetime = 100;
  CHECK_FALSE(session.expired(1'000'000 - 1));
  CHECK_FALSE(session.expired(1'000'000 - 60 * second));
  CHECK(session.expired(1'000'000 - 60 * second - 1));
  CHECK(session.expired(first_time));
}

TEST_CASE("the age is exact at the ends of time", "[session]") {
  Session session = small_session();
  session.lifetime = 100;
  session.usable_until = last_time;
  session.received_at = first_time;
  CHECK_FALSE(session.expired(first_time));
  CHECK_FALSE(session.expired(first_time + 100 * second - 1));
  CHECK(session.expired(first_time + 100 * second));
  CHECK(session.expired(0));
  CHECK(session.expired(last_time - 1));
  CHECK(session.obfuscated_age(last_time) == 0xFFFF'FFFF);

  session.received_at = last_time;
  CHECK(session.expired(first_time));
  CHECK(session.expired(0));
  CHECK(session.expired(last_time - 60 * second - 1));
  CHECK_FALSE(session.expired(last_time - 60 * second));
  CHECK(session.obfuscated_age(first_time) == 0);
}

TEST_CASE("the age is sent in milliseconds, obfuscated", "[session]") {
  Session session = small_session();
  session.received_at = 1'000'000;
  session.age_add = 0;
  CHECK(session.obfuscated_age(1'000'000) == 0);
  CHECK(session.obfuscated_age(1'012'345) == 12'345);
  CHECK(session.obfuscated_age(999'999) == 0); // no negative age
  session.age_add = 0xFFFF'FFFF;
  CHECK(session.obfuscated_age(1'000'000) == 0xFFFF'FFFF);
  CHECK(session.obfuscated_age(1'000'001) == 0); // modulo 2^32
  CHECK(session.obfuscated_age(1'012'345) == 12'344);
  CHECK(session.obfuscated_age(999'999) == 0xFFFF'FFFF);
}

TEST_CASE("moving a session leaves no secret behind", "[session]") {
  Session session = full_session();
  const Session moved(std::move(session));
  CHECK(session.secret.empty()); // NOLINT: that is what is tested
  check_same(moved, full_session());
}

TEST_CASE("a session is the same after it was serialised", "[session]") {
  for (const auto& make : {full_session, session_of_12, small_session}) {
    const Session session = make();
    const auto again = Session::parse(serialised(session));
    INFO((again ? std::string() : again.error().message()));
    REQUIRE(again);
    check_same(*again, session);
    CHECK(serialised(*again) == serialised(session));
  }
}

TEST_CASE("each flag of a session is its own", "[session]") {
  for (unsigned flags = 0; flags < 4; ++flags) {
    Session session = full_session();
    session.peer_chain.pop_back();
    session.extended_main_secret = (flags & 1U) != 0;
    session.raw_public_key = (flags & 2U) != 0;
    const auto again = Session::parse(serialised(session));
    REQUIRE(again);
    check_same(*again, session);
  }
}

TEST_CASE("the longest session can be serialised", "[session]") {
  Session session = full_session();
  session.ticket = ByteVector(0xFFFF, 1);
  session.trust_identity = ByteVector(64, 2);
  session.application_protocol = std::string(255, 'p');
  session.server_name.clear();
  while (session.server_name.size() < 250)
    session.server_name += "ab.";
  session.server_name += "xyz"; // 255 bytes would be too long for a name, 253 are not
  session.server_name.erase(0, session.server_name.size() - 253);
  if (session.server_name.front() == '.')
    session.server_name.front() = 'a';
  session.peer_chain.clear();
  std::size_t left = tls::limits::handshake_message;
  while (session.peer_chain.size() < tls::limits::certificate_chain)
    session.peer_chain.push_back({{3}, {}, {}});
  left -= session.peer_chain.size();
  session.peer_chain[0].sct_list.resize(0xFFFF);
  left -= 0xFFFF;
  session.peer_chain[1].ocsp_response.resize(left);
  const ByteVector bytes = serialised(session);
  CHECK(bytes.size() <= Session::longest_serialised);
  const auto again = Session::parse(bytes);
  REQUIRE(again);
  check_same(*again, session);
}

TEST_CASE("the serialised form is what its description says", "[session]") {
  CHECK(serialised(full_session()) == ByHand().bytes());
}

TEST_CASE("a single changed byte is noticed, wherever it stands", "[session]") {
  const ByteVector good = serialised(full_session());
  std::size_t accepted = 0;
  std::size_t other_code = 0;
  std::size_t without_reason = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    for (unsigned difference = 1; difference < 256; ++difference) {
      ByteVector bad = good;
      bad[i] = static_cast<std::uint8_t>(bad[i] ^ difference);
      const auto result = Session::parse(bad);
      accepted += result ? 1 : 0;
      other_code += !result && result.error().code() != tls::ErrorCode::session_unreadable ? 1 : 0;
      without_reason += !result && result.error().detail().empty() ? 1 : 0;
    }
  }
  CHECK(accepted == 0);
  CHECK(other_code == 0);
  CHECK(without_reason == 0);
}

TEST_CASE("a session that was cut off is noticed, and so is one with something behind it", "[session]") {
  const ByteVector good = serialised(full_session());
  for (std::size_t length = 0; length < good.size(); ++length)
    check_unreadable(Session::parse(BytesView(good).first(length)), length < 42 ? "too short" : "checksum");
  for (std::size_t begin = 1; begin < good.size(); ++begin)
    check_unreadable(Session::parse(BytesView(good).subspan(begin)), "it ");
  ByteVector longer = good;
  longer.push_back(0);
  check_unreadable(Session::parse(longer), "checksum");
  longer = good;
  append(longer, good);
  check_unreadable(Session::parse(longer), "checksum");
}

TEST_CASE("what a damaged session is refused for can be read", "[session]") {
  check_unreadable(Session::parse({}), "too short");
  check_unreadable(Session::parse(ByteVector(Session::longest_serialised + 1)), "too long");
  check_unreadable(Session::parse(ByteVector(Session::longest_serialised)), "begin");
  ByHand hand;
  hand.magic = "TLSCSESX";
  check_unreadable(Session::parse(hand.bytes()), "begin");
  for (unsigned format : {0U, 2U, 0x0100U, 0x0101U}) {
    hand = ByHand();
    hand.format = format;
    check_unreadable(Session::parse(hand.bytes()), "another version");
  }
  ByteVector bytes = ByHand().bytes();
  bytes.back() ^= 1;
  check_unreadable(Session::parse(bytes), "checksum");
}

TEST_CASE("fields that cannot be decoded are noticed behind a good checksum", "[session]") {
  const auto refused = [](auto&& change, std::string_view reason) {
    ByHand hand;
    change(hand);
    check_unreadable(Session::parse(hand.bytes()), reason);
  };
  constexpr std::string_view range = "a length or a value that its definition does not allow";
  refused([](ByHand& hand) { hand.trailing = {0}; }, "bytes after its last field");
  refused([](ByHand& hand) { hand.secret.clear(); }, range);
  refused([](ByHand& hand) { hand.secret = counted(49, 0); }, range);
  refused([](ByHand& hand) { hand.session_id = counted(33, 0); }, range);
  refused([](ByHand& hand) { hand.server_name.clear(); }, range);
  refused([](ByHand& hand) { hand.trust_identity = counted(65, 0); }, range);
  refused([](ByHand& hand) { hand.chain[0][0].clear(); }, range);
  refused([](ByHand& hand) { hand.chain[0][0].resize(tls::limits::handshake_message + 1); }, range);
  refused([](ByHand& hand) { hand.chain[0][1].resize(tls::limits::handshake_message + 1); }, range);
  refused([](ByHand& hand) { hand.chain.resize(tls::limits::certificate_chain + 1, {ByteVector{1}, {}, {}}); },
          "larger than this client accepts");
  for (unsigned flag : {4U, 8U, 16U, 32U, 64U, 128U})
    refused([flag](ByHand& hand) { hand.flags = flag; }, "flag");
  refused([](ByHand& hand) { hand.received_at = std::uint64_t{1} << 63; }, "time is out of range");
  refused([](ByHand& hand) { hand.usable_until = std::uint64_t{1} << 63; }, "time is out of range");

  // A list of certificates that ends within one of them.
  ByteVector bytes = serialised(small_session());
  bytes.resize(bytes.size() - 32 - 3); // the checksum and the empty list's length
  append_field(bytes, ByteVector{0, 0, 2, 1}, 3);
  append(bytes, tls::hash_of(tls::HashAlgorithm::sha256, bytes).value().view());
  check_unreadable(Session::parse(bytes), "ends before");
}

TEST_CASE("a session that contradicts itself is neither read nor written", "[session]") {
  using tls::CipherSuite;
  check_wrong([](ByHand& hand) { hand.version = 0x0302; },
              [](Session& session) { session.version = tls::ProtocolVersion::tls1_1; }, "neither TLS 1.3 nor TLS 1.2");
  for (std::uint16_t suite : {std::uint16_t{0x1300}, std::uint16_t{0x1304}, std::uint16_t{0xC030}})
    check_wrong([suite](ByHand& hand) { hand.cipher_suite = suite; },
                [suite](Session& session) { session.cipher_suite = static_cast<CipherSuite>(suite); },
                "none of TLS 1.3");
  for (std::size_t length : {std::size_t{1}, std::size_t{32}, std::size_t{47}})
    check_wrong([length](ByHand& hand) { hand.secret.resize(length); },
                [length](Session& session) { session.secret = tls::SessionSecret(counted(length, 1)); },
                "as long as the hash");
  for (auto [suite, code] :
       {std::pair{CipherSuite::aes_128_gcm_sha256, 0x1301U}, std::pair{CipherSuite::chacha20_poly1305_sha256, 0x1303U}})
    check_wrong([code](ByHand& hand) { hand.cipher_suite = code; },
                [suite](Session& session) { session.cipher_suite = suite; }, "as long as the hash");
  check_wrong([](ByHand& hand) { hand.ticket.clear(); }, [](Session& session) { session.ticket.clear(); },
              "has a ticket");
  check_wrong([](ByHand& hand) { hand.session_id = {1}; }, [](Session& session) { session.session_id = {1}; },
              "no session id");
  check_wrong([](ByHand& hand) { hand.lifetime = 604'801; }, [](Session& session) { session.lifetime = 604'801; },
              "seven days");
  for (const char* name : {"WWW.example.com", "www.example.com.", "www example", "[2001:db8::1]"})
    check_wrong([&](ByHand& hand) { hand.server_name = name; }, [&](Session& session) { session.server_name = name; },
                "canonical");
  check_wrong([](ByHand& hand) { hand.flags = 2; }, [](Session& session) { session.raw_public_key = true; },
              "stands alone");
  check_wrong(
      [](ByHand& hand) {
        hand.flags = 2;
        hand.chain.clear();
      },
      [](Session& session) {
        session.raw_public_key = true;
        session.peer_chain.clear();
      },
      "stands alone");
  constexpr std::size_t half = tls::limits::handshake_message / 2;
  check_wrong(
      [](ByHand& hand) {
        hand.chain[0][0].resize(half);
        hand.chain[1][1].resize(half);
        hand.chain[1][0].resize(1);
        hand.chain[0][1].clear();
        hand.chain[0][2].clear();
      },
      [](Session& session) {
        session.peer_chain[0].der.resize(half);
        session.peer_chain[1].ocsp_response.resize(half);
      },
      "longer than one message");
}

TEST_CASE("a session of TLS 1.2 is held to the rules of TLS 1.2", "[session]") {
  const auto hand_of_12 = [] {
    ByHand hand;
    hand.version = 0x0303;
    hand.cipher_suite = 0xC02F;
    hand.max_early_data = 0;
    return hand;
  };
  const auto refused = [](const ByHand& hand, std::string_view reason) {
    check_unreadable(Session::parse(hand.bytes()), reason);
  };
  CHECK(Session::parse(hand_of_12().bytes()));
  ByHand hand = hand_of_12();
  hand.session_id = {1};
  CHECK(Session::parse(hand.bytes()));
  hand.ticket.clear();
  CHECK(Session::parse(hand.bytes()));
  hand.session_id.clear();
  refused(hand, "neither a ticket nor a session id");
  hand = hand_of_12();
  hand.cipher_suite = 0x1301;
  refused(hand, "none of TLS 1.2");
  hand = hand_of_12();
  hand.secret.resize(32);
  refused(hand, "48 bytes");
  hand = hand_of_12();
  hand.max_early_data = 1;
  refused(hand, "early data");
}

TEST_CASE("a session with a field that is too long is not written", "[session]") {
  const auto refused = [](auto&& change, std::string_view reason) {
    Session session = full_session();
    change(session);
    const auto written = session.serialise();
    REQUIRE_FALSE(written);
    CHECK(written.error().code() == tls::ErrorCode::session_unreadable);
    INFO(written.error().message());
    CHECK(written.error().detail().find(reason) != std::string_view::npos);
  };
  refused([](Session& session) { session.ticket.resize(0x10000); }, "ticket is too long");
  refused([](Session& session) { session.trust_identity.resize(65); }, "trust identity is too long");
  refused([](Session& session) { session.application_protocol.resize(256); }, "application protocol is too long");
  refused([](Session& session) { session.received_at = -1; }, "before 1970");
  refused([](Session& session) { session.usable_until = -1; }, "before 1970");
  refused([](Session& session) { session.secret.clear(); }, "as long as the hash");
  refused([](Session& session) { session.server_name.clear(); }, "canonical");
  refused([](Session& session) { session.peer_chain[0].der.clear(); }, "certificate is empty");
  refused([](Session& session) { session.peer_chain[0].sct_list.resize(0x10000); }, "timestamps is too long");
  refused(
      [](Session& session) {
        while (session.peer_chain.size() < tls::limits::certificate_chain + 1)
          session.peer_chain.push_back({{1}, {}, {}});
      },
      "too many certificates");
  refused(
      [](Session& session) {
        session.version = tls::ProtocolVersion::tls1_2;
        session.cipher_suite = static_cast<tls::CipherSuite>(0xC030);
        session.max_early_data = 0;
        session.session_id.resize(33);
      },
      "session id is too long");
}
