# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For tests that sign, sourced behind lib.sh: authorities ca and stranger (NAME.key, NAME.pem), and what makes
# certificates and time stamps, all by openssl.

quiet() { "$@" > quiet.txt 2>&1 || { cat quiet.txt; fail "$*"; }; }
# certificate NAME KEY-OPTIONS... : NAME.key and NAME.pem by the authority $ca (or ca), with the extensions in NAME.ext
certificate()
{
  local name=$1 by=${ca:-ca}
  shift
  [ -e "$name.ext" ] || echo 'basicConstraints = critical, CA:FALSE' > "$name.ext"
  quiet openssl req -new -newkey "$@" -nodes -keyout "$name.key" -out "$name.csr" -subj "/O=Laboratory/CN=$name"
  quiet openssl x509 -req -in "$name.csr" -CA "$by.pem" -CAkey "$by.key" -CAcreateserial -days 100 -extfile "$name.ext" -out "$name.pem"
}
# dated NAME FROM TO: as certificate does, by ca, but valid between these times (YYYYMMDDHHMMSSZ)
dated()
{
  [ -e ca.conf ] || cat > ca.conf << END
[ca]
default_ca = here
[here]
database = $scratch/index.txt
new_certs_dir = $scratch
serial = $scratch/ca-serial
default_md = sha256
policy = any
default_crl_days = 100
[any]
commonName = supplied
END
  [ -e index.txt ] || { : > index.txt; echo 1000 > ca-serial; }
  [ -e "$1.ext" ] || echo 'basicConstraints = critical, CA:FALSE' > "$1.ext"
  quiet openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1"
  quiet openssl ca -batch -config ca.conf -cert ca.pem -keyfile ca.key -startdate "$2" -enddate "$3" -extfile "$1.ext" -in "$1.csr" -out "$1.pem"
}
# the time stamping authority tsa: answers REQUEST REPLY
stamping_authority()
{
  printf 'basicConstraints = critical, CA:FALSE\nextendedKeyUsage = critical, timeStamping\n' > tsa.ext
  certificate tsa ec -pkeyopt ec_paramgen_curve:P-256
  cat > tsa.conf << END
[tsa]
default_tsa = here
[here]
serial = $scratch/tsa.serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
END
}
answers() { quiet openssl ts -reply -config tsa.conf -queryfile "$1" -signer tsa.pem -inkey tsa.key -out "$2"; }
# signed_by NAME FILE SIGNATURE: by openssl, which signs with whatever it is given
signed_by()
{
  quiet openssl cms -sign -binary -cades -md sha256 -in "$2" -signer "$1.pem" -inkey "$1.key" -outform DER -out "$3"
}

for authority in ca stranger; do
  quiet openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $authority.key -out $authority.pem -days 1000 -subj "/CN=$authority"
done
