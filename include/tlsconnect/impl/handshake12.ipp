#pragma once

#include <string>
#include <utility>

#include <tlsconnect/handshake/handshake12.hpp>

namespace tlsconnect::inline TLSCONNECT_ABI {

TLSCONNECT_DECL Result<Proof<SessionResumed>> SessionResumed::check(const Session& offered, CipherSuite suite,
                                                                    bool extended_main_secret) noexcept {
  // RFC 5246, 7.4.1.3: a session is resumed with the suite that it was established with.
  if (suite != offered.cipher_suite)
    return fail(ErrorCode::session_suite_changed, "ServerHello", std::string(name_of(suite)));
  // RFC 7627, 5.3: the extended main secret goes with the session, both ways; otherwise a session that somebody else had
  // synchronised could be passed off as one that is bound to its handshake.
  if (extended_main_secret != offered.extended_main_secret)
    return fail(ErrorCode::session_extended_main_secret_changed, "ServerHello");
  return Proof<SessionResumed>();
}

TLSCONNECT_DECL Result<ExternalPskAgreed::Choice> ExternalPskAgreed::choose(const ClientConfig& config,
                                                                            const SuiteParameters12& suite) noexcept {
  std::uint16_t index = 0;
  for (const ExternalPsk& psk : config.external_psks()) {
    if (!psk.imported() && psk.hash() == suite.hash)
      return Choice{Proof<ExternalPskAgreed>(), index};
    ++index;
  }
  return fail(ErrorCode::cipher_suite_not_offered, "ServerHello", std::string(name_of(suite.suite)));
}

} // namespace tlsconnect::inline TLSCONNECT_ABI
