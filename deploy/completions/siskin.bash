# Completion of siskin for bash; generated from its commands. Goes to /usr/share/bash-completion/completions/siskin.
_siskin() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} word command='' options
    COMPREPLY=()
    case $previous in
        --config) mapfile -t COMPREPLY < <(compgen -f -- "$current"); return ;;
        --config-dir) mapfile -t COMPREPLY < <(compgen -d -- "$current"); return ;;
        --args | --listen | --name | --port | --scopes | --set | --timeout | --tools | --url) return ;;
    esac
    for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case $word in
            serve | stdio | check | config | tools | call | pack | token | healthcheck | version) command=$word; break ;;
        esac
    done
    case $command in
        serve) options="--listen --port --config --config-dir --set --help --version" ;;
        stdio) options="--config --config-dir --set --help --version" ;;
        check) options="--config --config-dir --set --help --version" ;;
        config) options="--schema --reference --config --config-dir --set --help --version" ;;
        tools) options="--json --config --config-dir --set --help --version" ;;
        call) options="--args --json --config --config-dir --set --help --version" ;;
        pack) options="new test --args --url --whole --config --config-dir --set --help --version" ;;
        token) options="--name --scopes --tools --config --config-dir --set --help --version" ;;
        healthcheck) options="--url --timeout --config --config-dir --set --help --version" ;;
        version) options="--config --config-dir --set --help --version" ;;
        *) options="serve stdio check config tools call pack token healthcheck version --config --config-dir --set --help --version" ;;
    esac
    if [[ $command == call || $command == tools ]] && [[ $current != -* ]]; then
        # The tools that the configuration of this folder offers.
        options=$(siskin tools 2>/dev/null | tail -n +2 | cut -d ' ' -f 1)
    fi
    mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
}
complete -F _siskin siskin
