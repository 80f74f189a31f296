/**
 * Every reason of OpenSSL's SSL library in its own words: those of 3.5, and the names that 3.0 has for alerts.
 *
 * @see https://github.com/openssl/openssl/blob/openssl-3.5/crypto/err/openssl.txt
 */
export const OPENSSL_REASONS: readonly string[] = `
Peer haven't sent GOST certificate, required for selected ciphersuite|app data in handshake
application data after close notify|at least (D)TLS 1.2 needed in Suite B mode
attempt to reuse session in different context|bad change cipher spec|bad cipher|bad compression algorithm
bad data|bad data returned by callback|bad decompression|bad dh value|bad early data|bad ecc cert|bad ecpoint
bad extension|bad handshake length|bad handshake state|bad hello request|bad hrr version|bad key share
bad key update|bad legacy version|bad packet|bad packet length|bad protocol version number|bad psk
bad psk identity|bad record type|bad rsa encrypt|bad srp a length|bad srp parameters|bad srtp mki value
bad srtp protection profile list|bad ssl filetype|bad write retry|binder does not verify
block cipher pad is wrong|ca dn length mismatch|ca key too small|ca md too weak|callback failed
can't find SRP server param|cannot change cipher|cannot get group name|ccs received early|cert cb error
cert length mismatch|certificate verify failed|cipher code wrong length|ciphersuite digest has changed
clienthello tlsext|compressed length too long|compression disabled|compression id not within private range
compression library error|conn use only|connection type not set|context not dane enabled
cookie gen callback failure|cookie mismatch|copy parameters failed|custom ext handler already installed
dane already enabled|dane cannot override mtype full|dane not enabled|dane tlsa bad certificate
dane tlsa bad certificate usage|dane tlsa bad data length|dane tlsa bad digest length
dane tlsa bad matching type|dane tlsa bad public key|dane tlsa bad selector|dane tlsa null data
data between ccs and finished|data length too long|decryption failed or bad record mac|dh key too small
dh public value length is wrong|digest check failed|domain use only|dtls message too big
duplicate compression id|ecc cert not for signing|ecdh required for suiteb mode|ee key too small
empty raw public key|empty srtp protection profile list|encrypted length too long|error in received cipher list
error in system default config|error setting tlsa base domain|error with the srp params
exceeds max fragment size|excessive message size|ext length mismatch|extension not received
extra data in message|failed to get parameter|failed to init async|feature negotiation not complete
feature not renegotiable|fragmented client hello|got a fin before a ccs|http request|https proxy request
illegal Suite B digest|illegal point compression|inappropriate fallback|inconsistent compression
inconsistent early data alpn|inconsistent early data sni|inconsistent extms|invalid alert|invalid ccs message
invalid certificate or alg|invalid command|invalid compression algorithm|invalid config
invalid configuration name|invalid context|invalid ct validation type|invalid key update type
invalid max early data|invalid null cmd name|invalid raw public key|invalid record|invalid sequence number
invalid serverinfo data|invalid session id|invalid srp username|invalid status response
invalid ticket keys length|legacy sigalg disallowed or unsupported|length too short|library bug
listener use only|maximum encrypted pkts reached|missing dsa signing cert|missing ecdsa signing cert
missing fatal|missing psk kex modes extension|missing quic tls functions|missing rsa certificate
missing rsa encrypting cert|missing rsa signing cert|missing sigalgs extension|missing signing cert
missing supported groups extension|missing supported versions extension|missing tmp dh key|missing tmp ecdh key
mixed handshake and non handshake data|no certificate assigned|no certificate set|no certificates returned
no change following hrr|no cipher match|no ciphers available|no ciphers specified|no client cert method
no compression specified|no cookie callback set|no method specified|no pem extensions|no private key assigned
no protocols available|no required digest|no shared cipher|no shared groups|no shared signature algorithms
no srtp profiles|no stream|no suitable digest algorithm|no suitable groups|no suitable key share
no suitable record layer|no suitable signature algorithm|no valid scts|no verify cookie callback
not on record boundary|not replacing certificate|not server|null ssl ctx|null ssl method passed
ocsp callback failure|old session cipher not returned|old session compression algorithm not returned
overflow error|packet length too long|parse tlsext|path too long|peer did not return a certificate
pem name bad prefix|pem name too short|pipeline failure|poll request not supported
post handshake auth encoding err|private key mismatch|protocol is shutdown|psk identity not found
psk no client cb|psk no server cb|quic handshake layer error|quic network error|quic protocol error
read bio not set|read timeout expired|record layer failure|record length mismatch|record too small
records not released|remote peer address not set|renegotiate ext too long|renegotiation encoding err
renegotiation mismatch|request pending|request sent|required cipher missing
required compression algorithm missing|scsv received when renegotiating|sct verification failed
sequence ctr wrapped|serverhello tlsext|session id context uninitialized|shutdown while in init
signature algorithms error|signature for non signing certificate|srtp could not allocate profiles
srtp protection profile list too long|srtp unknown protection profile|ssl ctx has no default ssl version
ssl handshake failure|ssl library has no ciphers|ssl negative length|ssl session id callback failed
ssl session id conflict|ssl session id context too long|ssl session id has bad length|ssl session id too long
ssl session version mismatch|ssl/tls alert bad certificate|ssl/tls alert bad record mac
ssl/tls alert certificate expired|ssl/tls alert certificate revoked|ssl/tls alert certificate unknown
ssl/tls alert decompression failure|ssl/tls alert handshake failure|ssl/tls alert illegal parameter
ssl/tls alert no certificate|ssl/tls alert unexpected message|ssl/tls alert unsupported certificate
ssl3 ext invalid max fragment length|ssl3 ext invalid servername|ssl3 ext invalid servername type
ssl3 session id too long|sslv3 alert bad certificate|sslv3 alert bad record mac|sslv3 alert certificate expired
sslv3 alert certificate revoked|sslv3 alert certificate unknown|sslv3 alert decompression failure
sslv3 alert handshake failure|sslv3 alert illegal parameter|sslv3 alert no certificate
sslv3 alert unexpected message|sslv3 alert unsupported certificate|still in init|stream count limited
stream finished|stream recv only|stream reset|stream send only|tls illegal exporter label
tls invalid ecpointformat list|tlsv1 alert access denied|tlsv1 alert decode error|tlsv1 alert decrypt error
tlsv1 alert decryption failed|tlsv1 alert export restriction|tlsv1 alert inappropriate fallback
tlsv1 alert insufficient security|tlsv1 alert internal error|tlsv1 alert no application protocol
tlsv1 alert no renegotiation|tlsv1 alert protocol version|tlsv1 alert record overflow|tlsv1 alert unknown ca
tlsv1 alert unknown psk identity|tlsv1 alert user cancelled|tlsv1 bad certificate hash value
tlsv1 bad certificate status response|tlsv1 certificate unobtainable|tlsv1 unrecognized name
tlsv1 unsupported extension|tlsv13 alert certificate required|tlsv13 alert missing extension
too many key updates|too many warn alerts|too much early data|unable to find ecdh parameters
unable to find public key parameters|unable to load ssl3 md5 routines|unable to load ssl3 sha1 routines
unexpected ccs message|unexpected end of early data|unexpected eof while reading|unexpected record
unknown alert type|unknown certificate type|unknown cipher returned|unknown cipher type|unknown cmd name
unknown command|unknown key exchange type|unknown mandatory parameter|unknown pkey type|unknown protocol
unknown ssl version|unsafe legacy renegotiation disabled|unsolicited extension|unsupported config value
unsupported config value class|unsupported config value op|unsupported elliptic curve|unsupported protocol
unsupported ssl version|unsupported status type|unsupported write flag|use srtp not negotiated|version too high
version too low|wrong certificate type|wrong cipher returned|wrong curve|wrong rpk type|wrong signature length
wrong signature size|wrong signature type|wrong ssl version|wrong version number|x509 lib
x509 verification setup problems
`
  .trim()
  .split(/[|\n]/)
