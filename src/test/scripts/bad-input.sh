#!/bin/sh
# What a running service answers to bad input: each request must get its status, a JSON error and no stack trace, and the service
# must still answer afterwards. Usage: src/test/scripts/bad-input.sh [URL]; starting with bad files is in CommandLineIT.
set -u

url=${1:-http://127.0.0.1:8080}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0
failed=0

judge() { # NAME STATUS-PATTERN ANSWERED
  if expr "$3" : "$2\$" >/dev/null && ! grep -q 'at [a-z.]*[A-Z][A-Za-z]*\.[a-z][A-Za-z]*(' "$work/answer" \
      && python3 -c 'import json, sys; body = json.load(open(sys.argv[1])); assert "error" in body or "title" in body' "$work/answer" 2>"$work/why"; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    echo "FAILED: $1: wanted $2, got $3: $(head -c 300 "$work/answer")"
  fi
}

post() { # NAME STATUS-PATTERN PATH BODY
  printf '%s' "$4" >"$work/body"
  post_file "$1" "$2" "$3" "$work/body"
}

post_file() { # NAME STATUS-PATTERN PATH FILE
  : >"$work/answer"
  answered=$(curl -s -m 60 -o "$work/answer" -w '%{http_code}' -H 'Content-Type: application/json' --data-binary "@$4" "$url$3")
  judge "$1" "$2" "$answered"
}

chat=/v1/chat/completions
model=$(curl -s -m 20 "$url/v1/models" | python3 -c 'import json, sys; print(json.load(sys.stdin)["data"][0]["id"])') || {
  echo "no service answers at $url" >&2
  exit 2
}
hello='"messages":[{"role":"user","content":"hello"}]'

post "unknown model" 404 $chat '{"model":"no-such-model",'"$hello"'}'
post "unknown adapter" 404 $chat '{"model":"'"$model"'","adapters":["no-such-adapter"],'"$hello"'}'
post "unknown adapter activated" 404 /activate_adapters '{"adapter_names":["no-such-adapter"]}'
post "two selections that disagree" 400 $chat '{"model":"'"$model:math"'","adapters":["biology"],'"$hello"'}'
post "empty body" 400 $chat ''
post "no JSON" 400 $chat 'hello'
post "unclosed JSON" 400 $chat '{"model":"'"$model"'","messages":['
post "JSON of the wrong kind" 400 $chat '[1,2,3]'
post "JSON nested deeply" '4[0-9][0-9]' $chat "$(python3 -c 'print("[" * 100000)')"
post "no messages" '4[02][02]' $chat '{"model":"'"$model"'"}'
post "empty messages" '4[02][02]' $chat '{"model":"'"$model"'","messages":[]}'
post "messages of the wrong type" '4[02][02]' $chat '{"model":"'"$model"'","messages":"hello"}'
post "message without a role" '4[02][02]' $chat '{"model":"'"$model"'","messages":[{"content":"hello"}]}'
post "adapters of the wrong type" '4[02][02]' $chat '{"model":"'"$model"'","adapters":7,'"$hello"'}'
post "weight that is no number" '4[02][02]' $chat '{"model":"'"$model"'","adapters":[{"name":"math","weight":"much"}],'"$hello"'}'
for bad in '"max_tokens":-1' '"max_tokens":"many"' '"max_tokens":1.5' '"max_tokens":99999999999999999999' '"temperature":NaN' '"temperature":"hot"' \
    '"temperature":-1' '"temperature":1e999' '"top_p":0' '"top_p":2' '"min_p":-1' '"top_k":-2' '"n":0' '"n":-1' '"stop":7' '"stop":[""]' \
    '"seed":"x"' '"logit_bias":{"a":1}' '"logit_bias":{"1":1000}' '"repetition_penalty":0' '"presence_penalty":9' \
    '"logprobs":true,"top_logprobs":1000' '"stream":"yes"'; do
  post "chat with $bad" '4[02][02]' $chat '{"model":"'"$model"'",'"$hello"','"$bad"'}'
done
post "suffix" '\(400\|501\)' /v1/completions '{"model":"'"$model"'","prompt":"a","suffix":"b"}'
post "token id beyond the vocabulary" '4[02][02]' /v1/completions '{"model":"'"$model"'","prompt":[99999999]}'
post "negative token id" '4[02][02]' /v1/completions '{"model":"'"$model"'","prompt":[-1]}'
post "empty prompt of ids" '4[02][02]' /v1/completions '{"model":"'"$model"'","prompt":[]}'
python3 -c 'import json, sys; json.dump({"model": sys.argv[1], "messages": [{"role": "user", "content": "word " * 200000}]}, sys.stdout)' "$model" >"$work/long"
post_file "prompt longer than the context" 400 $chat "$work/long"
head -c 70000000 /dev/zero | tr '\0' ' ' >"$work/huge"
post_file "body of 70 MB" 413 $chat "$work/huge"
post "embeddings, which are not there" 501 /v1/embeddings '{"model":"'"$model"'","input":"a"}'
post "ordering without base_model_id" 422 /api/v1/orderings/bad '{"preload_adapters":[]}'
post "ordering with a name twice" 422 /api/v1/orderings/bad \
  '{"base_model_id":"b","preload_adapters":[{"name":"a","adapter_model_id":"x"},{"name":"a","adapter_model_id":"y"}]}'
post "ordering that is no JSON" '4[02][02]' /api/v1/orderings/bad 'hello'
post "path that leaves the root" '4[02][0-9]' /api/v1/orderings/bad \
  '{"base_model_id":"b","preload_adapters":[{"name":"a","adapter_model_id":"../../etc"}]}'

: >"$work/answer"
answered=$(curl -s -m 20 -o "$work/answer" -w '%{http_code}' "$url/v1/models/no-such-model")
judge "unknown model asked for by name" 404 "$answered"
answered=$(curl -s -m 20 -o "$work/answer" -w '%{http_code}' "$url/api/v1/orderings/none")
judge "unknown ordering" 404 "$answered"
answered=$(curl -s -m 20 -o "$work/answer" -w '%{http_code}' -X PUT -H 'Content-Type: application/json' -d '{"adapters":[]}' \
  "$url/api/v1/activations/current")
judge "activation without If-Match" 428 "$answered"

good=$(curl -s -m 60 -o "$work/answer" -w '%{http_code}' -H 'Content-Type: application/json' \
  -d '{"model":"'"$model"'","adapters":[],"max_tokens":4,'"$hello"'}' "$url$chat")
if [ "$good" != 200 ]; then
  failed=$((failed + 1))
  echo "FAILED: a good request after all the bad ones: $good: $(head -c 300 "$work/answer")"
fi
echo "$passed as wanted, $failed not"
[ "$failed" -eq 0 ]
