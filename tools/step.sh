# shellcheck shell=bash
# Progress display for the project's scripts. Source this file, then run work as
#
#     step "Installing packages" command argument...
#
# Each step is one line on the terminal: its title, its elapsed seconds and, while a Ninja build
# runs, how far that has come. What the command prints goes to a log, of which the end is shown
# when the command fails.

# The process group of the step that runs now, if one does.
step_group=
# What a failed step should tell the user to do; set it before the step, it is reset after.
step_hint=
# Set to yes before a step whose compiler warnings the user should see; likewise.
step_warnings=

step_stop() {
  # A step is its own process group, so that a compiler's whole family stops with the script.
  if [[ -n $step_group ]]; then
    kill -TERM -- "-$step_group" 2>/dev/null || true
    step_group=
  fi
}

step_log_dir() {
  printf '%s\n' "${TLSCONNECT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tlsconnect}/log"
}

# The [12/300] that Ninja printed last into the log, or nothing.
step_counter() {
  tail -c 4096 -- "$1" 2>/dev/null | grep -ao '^\[[0-9]*/[0-9]*\]' | tail -n 1 || true
}

# The lines of a log that tell most: of a Ninja build, where its first failure begins; otherwise the
# end. A continuous integration keeps no log but what is printed, so it gets more of them.
step_failure() {
  local lines=1
  if [[ ${CI:-} == true ]]; then
    lines=5
  fi
  if grep -aq '^FAILED: ' -- "$1"; then
    sed -n '/^FAILED: /,$p' -- "$1" | cut -c 1-300 | head -n "$((lines * 40))"
  else
    tail -n "$((lines * 20))" -- "$1"
  fi
}

# Never call this in a condition: there Bash ignores a failure in the middle of the step.
step() {
  local title=$1 log began=$SECONDS status=0 shown=0 elapsed counter
  shift
  mkdir -p -- "$(step_log_dir)"
  log="$(step_log_dir)/$(printf '%s' "$title" | tr -cs 'A-Za-z0-9.' '-').$$.log"
  : >"$log"

  # With job control on, a background job gets its own process group.
  set -m
  ("$@") >"$log" 2>&1 </dev/null &
  step_group=$!
  set +m

  if [[ ! -t 1 ]]; then
    printf '  %s ...\n' "$title"
  fi
  while kill -0 "$step_group" 2>/dev/null; do
    elapsed=$((SECONDS - began))
    if [[ -t 1 ]]; then
      printf '\r\033[K  %s ... %s %ds' "$title" "$(step_counter "$log")" "$elapsed"
    elif ((elapsed >= shown + 30)); then
      shown=$elapsed
      counter=$(step_counter "$log")
      printf '  %s ... %s %ds\n' "$title" "$counter" "$elapsed"
    fi
    # Short at first: many steps take less than a second.
    sleep "$((elapsed > 2)).1"
  done
  wait "$step_group" || status=$?
  step_group=
  elapsed=$((SECONDS - began))

  if [[ -t 1 ]]; then
    printf '\r\033[K'
  fi
  if ((status == 0)); then
    printf '  %s: done (%ds)\n' "$title" "$elapsed"
    if [[ $step_warnings == yes ]]; then
      grep -aE '^[^ ]+:[0-9]+:[0-9]+: warning: ' -- "$log" | sort -u | head -n 20 | sed 's/^/    /' || true
    fi
    rm -f -- "$log"
  else
    {
      printf '  %s: FAILED after %ds (exit status %d). From its output:\n\n' \
        "$title" "$elapsed" "$status"
      step_failure "$log" | sed 's/^/    /'
      printf '\n  All of it: %s\n' "$log"
      if [[ -n $step_hint ]]; then
        printf '  %s\n' "$step_hint"
      fi
    } >&2
  fi
  step_hint=
  step_warnings=
  return "$status"
}

die() {
  printf '%s\n' "$@" >&2
  exit 1
}
