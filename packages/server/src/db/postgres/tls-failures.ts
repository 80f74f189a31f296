/** Failures of TLS on the way to the database, and what to write into its address. */

export interface TlsFailure {
  readonly what: string
  readonly cure: string
}

const UNTRUSTED =
  /^(DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO_GET_ISSUER_CERT|UNABLE_TO_GET_ISSUER_CERT_LOCALLY|UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_UNTRUSTED|CERT_SIGNATURE_FAILURE)$/
const OUT_OF_TIME = /^(CERT_HAS_EXPIRED|CERT_NOT_YET_VALID|CRL_HAS_EXPIRED|CRL_NOT_YET_VALID)$/
/** What Node says where the other side has not answered the first message of TLS with one of its own. */
const NO_TLS =
  /before secure TLS connection was established|wrong version number|packet length too long|unexpected message/i

/** `null`: it has nothing to do with TLS. */
export function explainTls(error: Error, code: string): TlsFailure | null {
  if (NO_TLS.test(error.message))
    return {
      what: 'The database does not speak TLS at this address, but the address asks for it',
      cure: 'Turn TLS on there, or leave it out with sslmode=disable.',
    }
  if (UNTRUSTED.test(code))
    return {
      what: `The certificate of the database is not trusted (${code})`,
      cure: 'Name the authority that has signed it with sslrootcert=FILE. With sslmode=require nothing is checked, and anyone in between can read.',
    }
  if (OUT_OF_TIME.test(code))
    return {
      what: `The certificate of the database is not valid now (${code})`,
      cure: 'Renew it, and check the clock of this machine.',
    }
  if (code === 'CERT_REVOKED')
    return {
      what: 'The certificate of the database is revoked',
      cure: 'Give the database another one, or correct the list in sslcrl.',
    }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      what: 'The certificate of the database is not for this host',
      cure: `${error.message}\n  Use a name that it is for, or check the authority alone with sslmode=verify-ca.`,
    }
  if (/^ERR_(SSL|OSSL|TLS)_/.test(code))
    return {
      what: `TLS with the database failed (${code})`,
      cure: 'Check sslmode, sslcert, sslkey and the versions of TLS in the address, and what the database allows.',
    }
  return null
}
