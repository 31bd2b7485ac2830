#!/usr/bin/env bash
# A real nginx in front of the server, configured as docs/guide/reverse-proxy.md says (the name,
# the ports and the paths of the certificate replaced): login, pages, and a session's stream.
# Run it with scripts/with-server.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
: "${PORTHOLE_URL:?run this with scripts/with-server.sh}"
nginx=$(PATH=$PATH:/usr/sbin command -v nginx) || { echo "nginx is missing: scripts/setup.sh test" >&2; exit 1; }

work=$(mktemp -d "${TMPDIR:-/tmp}/porthole-nginx.XXXXXX")
process=''
cleanup() { [[ -z "$process" ]] || kill "$process" 2>/dev/null || true; rm -rf "$work"; }
trap cleanup EXIT

name=kasm.example.com
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj "/CN=$name" \
  -addext "subjectAltName=DNS:$name" -keyout "$work/privkey.pem" -out "$work/fullchain.pem" 2>/dev/null

# The documented server block, and around it what an unprivileged nginx of its own needs.
{
  echo "daemon off; pid $work/pid; error_log $work/error.log; worker_processes 1; events { worker_connections 64; }"
  echo "http { access_log $work/access.log;"
  for part in client_body proxy fastcgi uwsgi scgi; do echo "${part}_temp_path $work/$part;"; done
  # shellcheck disable=SC2016
  sed -n '/^```nginx/,/^```/p' "$root/docs/guide/reverse-proxy.md" | sed '/^```nginx/d; /^```/,$d' |
    sed -e "s#listen 443 ssl#listen 127.0.0.1:$port ssl#" -e "s#https://127.0.0.1:8443#$PORTHOLE_URL#" \
      -e "s#/etc/letsencrypt/live/$name#$work#"
  echo "}"
} >"$work/nginx.conf"
grep -q "proxy_pass $PORTHOLE_URL" "$work/nginx.conf" || { echo "nginx: docs/guide/reverse-proxy.md has no server block with proxy_pass https://127.0.0.1:8443" >&2; exit 1; }

"$nginx" -p "$work" -c "$work/nginx.conf" -e "$work/error.log" &
process=$!
passed=0
ask() { curl -ksS --max-time 20 --resolve "$name:443:127.0.0.1" --connect-to "$name:443:127.0.0.1:$port" "$@"; }
check() { # what, command …
  local what=$1; shift
  if "$@"; then passed=$((passed + 1)); else echo "FAILED: behind nginx: $what" >&2; tail -n 5 "$work/error.log" >&2 || true; exit 1; fi
}
for ((round = 0; round < 100; round++)); do ! ask -sf -o /dev/null "https://$name/api/__healthcheck" 2>/dev/null || break; sleep 0.1; done

check "the health check answers" ask -f -o /dev/null "https://$name/api/__healthcheck"
check "the console is served" bash -c "[[ \$(curl -ksS --connect-to '$name:443:127.0.0.1:$port' 'https://$name/') == *'<html'* ]]"

# Signing in as a browser does: the cookie, then a change with it, from the page's own origin.
login=$(printf '{"username":"%s","password":"%s"}' "$PORTHOLE_USER" "$PORTHOLE_USER_PASSWORD")
check "signs in" ask -f -o /dev/null -c "$work/cookies" -H 'Content-Type: application/json' -H "Origin: https://$name" -H 'Sec-Fetch-Site: same-origin' -d "$login" "https://$name/api/v1/auth/login"
check "the cookie works" ask -f -o /dev/null -b "$work/cookies" "https://$name/api/v1/me"
check "a change from another site is refused" bash -c "[[ \$(curl -ksS -o /dev/null -w '%{http_code}' -b '$work/cookies' --connect-to '$name:443:127.0.0.1:$port' -H 'Origin: https://evil.example' -H 'Content-Type: application/json' -d '{}' 'https://$name/api/v1/auth/logout') == 403 ]]"
check "the compatible login answers" ask -f -o /dev/null -H 'Content-Type: application/json' -d "$login" "https://$name/api/public/login"

# The stream: Origin is the public name, which only the forwarded Host tells the server.
check "a session's stream comes through" python3 "$root/scripts/first_frame.py" --url "https://$name" --connect-to "127.0.0.1:$port" --hold 3
check "the page signs out" ask -f -o /dev/null -b "$work/cookies" -H "Origin: https://$name" -H 'Sec-Fetch-Site: same-origin' -X POST "https://$name/api/v1/auth/logout"
echo "nginx: $passed passed, 0 failed"
