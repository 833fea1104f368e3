// Serialised sessions: what can be read is written back as it was, whatever it says, and its age can be asked for. The
// input is a session as it is, then one without its frame and checksum, then a list of changes to a good one: a place
// (two bytes) and what is added there (one byte).
#include <cstdint>
#include <cstdlib>
#include <limits>
#include <utility>

#include <tlsconnect/client/session.hpp>
#include <tlsconnect/crypto/hash.hpp>

namespace tls = tlsconnect;

namespace {

constexpr std::size_t header = 10;   // the magic word and the version of the format
constexpr std::size_t checksum = 32; // SHA-256 of all that stands before it

bool round_trip(tls::BytesView in) {
  const tls::Result<tls::Session> session = tls::Session::parse(in);
  if (!session)
    return false;
  const tls::Result<tls::ByteVector> out = session->serialise();
  if (!out || !tls::equal(in, *out))
    std::abort();
  for (const std::int64_t now :
       {std::int64_t{0}, session->received_at, session->usable_until, std::numeric_limits<std::int64_t>::max()}) {
    (void)session->obfuscated_age(now);
    if (now >= session->usable_until && !session->expired(now))
      std::abort();
  }
  return true;
}

void seal(tls::ByteVector& session) {
  const auto covered = tls::BytesView(session).first(session.size() - checksum);
  const auto digest = tls::hash_of(tls::HashAlgorithm::sha256, covered);
  if (!digest)
    std::abort();
  tls::copy_bytes(digest->view(), tls::Bytes(session).last(checksum));
}

tls::ByteVector good_session() {
  tls::Session session;
  session.secret = tls::SessionSecret(32);
  session.ticket = {1, 2, 3};
  session.lifetime = 3'600;
  session.received_at = 1'000'000;
  session.usable_until = 2'000'000;
  session.max_early_data = 16'384;
  session.server_name = "example.com";
  session.trust_identity = {4, 5};
  session.application_protocol = "h2";
  session.peer_chain.push_back({{0x30, 0x00}, {6}, {7, 8}});
  auto bytes = session.serialise();
  if (!bytes || !round_trip(*bytes))
    std::abort();
  return std::move(*bytes);
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const tls::ByteVector good = good_session();
  const tls::BytesView in(data, size);
  (void)round_trip(in);

  tls::ByteVector framed(good.begin(), good.begin() + header);
  framed.insert(framed.end(), in.begin(), in.end());
  framed.resize(framed.size() + checksum);
  seal(framed);
  (void)round_trip(framed);

  tls::ByteVector changed = good;
  const std::size_t fields = changed.size() - header - checksum;
  for (std::size_t i = 0; i + 3 <= size; i += 3) {
    std::uint8_t& byte = changed[header + (std::size_t{in[i]} << 8 | in[i + 1]) % fields];
    byte = static_cast<std::uint8_t>(byte + in[i + 2]);
    // Every change on its own way to the end, so that one that is refused does not hide the rest.
    seal(changed);
    (void)round_trip(changed);
  }
  return 0;
}
