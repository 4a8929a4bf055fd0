/** `ferryman completion`: scripts by which shells complete commands, flags, their values, and bookmarks. */
import { Argument, Command, type Option } from "commander";
import { CliError, EXIT } from "./exit.ts";

const SHELLS = ["bash", "zsh", "fish"] as const;
type Shell = (typeof SHELLS)[number];

const EXAMPLES = `
Commands, flags, their values and bookmarks are completed; names at a server are
in the shell of ferryman open.

Examples:
  ferryman completion bash > ~/.local/share/bash-completion/completions/ferryman
  ferryman completion zsh > ~/.zfunc/_ferryman           a folder of $fpath
  ferryman completion fish > ~/.config/fish/completions/ferryman.fish

Exit codes: 0 ok, 2 wrong usage`;

/** All commands, each with what it does in a few words. */
export type Commands = () => Promise<readonly (readonly [name: string, about: string, command: Command])[]>;

export function completionCommand(commands: Commands, stdout: NodeJS.WritableStream = process.stdout): Command {
  return new Command("completion")
    .description("Print a script by which a shell completes our commands and flags.")
    .addArgument(new Argument("<SHELL>", "whose script").choices(SHELLS))
    .addHelpText("after", EXAMPLES)
    .action(async (shell: string) => {
      const known = SHELLS.find((each) => each === shell);
      if (known === undefined) throw new CliError(`There is no script for ${shell}.`, EXIT.usage);
      const verbs = (await commands()).map(([name, about, command]) => verbOf(command, { name, about }));
      stdout.write(WRITERS[known](verbs));
    });
}

type Flag = {
  readonly short: string | undefined;
  readonly long: string | undefined;
  readonly about: string;
  /** Undefined: it takes none; else the words to choose from, if there are any. */
  readonly value: "file" | readonly string[] | undefined;
};

type Verb = {
  readonly name: string;
  readonly about: string;
  readonly flags: readonly Flag[];
  /** What may stand behind it: its own commands. */
  readonly words: readonly string[];
  /** It takes URLs, and so bookmarks. */
  readonly isRemote: boolean;
};

function verbOf(command: Command, { name, about }: { readonly name: string; readonly about: string }): Verb {
  const options = [command, ...command.commands].flatMap((each) => each.options);
  const byName = new Map(options.map((option) => [option.long ?? option.short, option]));
  const choices = command.registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  return {
    name,
    about,
    flags: [...byName.values()].filter(({ hidden }) => !hidden).map(flagOf),
    words: [...command.commands.map((each) => each.name()), ...choices],
    isRemote: byName.has("--charset") && command.commands.length === 0,
  };
}

function flagOf({ short, long, description, flags, required, optional, argChoices = [] }: Option): Flag {
  const takes = required || optional;
  const value = /<(?:file|dir|folder|path)>/i.test(flags) ? "file" : argChoices;
  return { short, long, about: description, value: takes ? value : undefined };
}

const NAMES = "ferryman bookmark list --names 2>/dev/null";

const WRITERS: Readonly<Record<Shell, (verbs: readonly Verb[]) => string>> = { bash, zsh, fish };

function bash(verbs: readonly Verb[]): string {
  const cases = verbs.map(({ name, flags, words, isRemote }) => {
    const names = flags.flatMap(namesOf);
    return `    ${name}) flags=${quoted([...names, "--help"].join(" "))} words="${words.join(" ")}"${isRemote ? " remote=1" : ""} ;;`;
  });
  const values = verbs.flatMap(({ name, flags }) =>
    flags.flatMap((flag) => {
      if (flag.value === undefined) return [];
      const pattern = namesOf(flag)
        .map((each) => `${name}:${each}`)
        .join("|");
      if (flag.value === "file") return [`    ${pattern}) return ;;`];
      if (flag.value.length === 0) return [`    ${pattern}) compopt +o default; return ;;`];
      return [`    ${pattern}) COMPREPLY=($(compgen -W ${quoted(flag.value.join(" "))} -- "$cur")); return ;;`];
    }),
  );
  return `# bash completion of ferryman, made by: ferryman completion bash
_ferryman() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD - 1]} verb="" flags="" words="" remote="" at
  for ((at = 1; at < COMP_CWORD; at++)); do
    if [[ \${COMP_WORDS[at]} != -* ]]; then verb=\${COMP_WORDS[at]}; break; fi
  done
  COMPREPLY=()
  if [[ -z $verb || $verb == help ]]; then
    COMPREPLY=($(compgen -W ${quoted(["help", ...verbs.map(({ name }) => name)].join(" "))} -- "$cur"))
    return
  fi
  case $verb:$prev in
${values.join("\n")}
  esac
  case $verb in
${cases.join("\n")}
  esac
  if [[ $cur == -* ]]; then words=$flags; elif [[ -n $remote ]]; then words=$(${NAMES}); fi
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _ferryman ferryman
`;
}

function zsh(verbs: readonly Verb[]): string {
  const list = verbs.map(({ name, about }) => `    ${quoted(`${name}:${about}`)}`);
  const cases = verbs.map(({ name, flags, words, isRemote }) => {
    const specs = flags.flatMap((flag) =>
      namesOf(flag).map((each) => quoted(`${each}[${zshText(flag.about)}]${zshValue(flag)}`)),
    );
    const rest =
      words.length > 0 ? `*:word:(${words.join(" ")})` : isRemote ? "*:place:_ferryman_places" : "*:file:_files";
    return `    ${name}) specs=(${[...specs, quoted(rest)].join(" ")}) ;;`;
  });
  return `#compdef ferryman
# zsh completion of ferryman, made by: ferryman completion zsh
_ferryman_places() {
  local -a names
  names=(\${(f)"$(${NAMES})"})
  compadd -a names
  _files
}
_ferryman() {
  local -a verbs specs
  verbs=(
${list.join("\n")}
  )
  if ((CURRENT == 2)); then
    _describe command verbs
    return
  fi
  shift words
  ((CURRENT--))
  case $words[1] in
${cases.join("\n")}
  esac
  _arguments -s $specs
}
if [[ $funcstack[1] == _ferryman ]]; then
  _ferryman "$@"
else
  compdef _ferryman ferryman
fi
`;
}

function zshValue({ value }: Flag): string {
  if (value === undefined) return "";
  if (value === "file") return ":file:_files";
  return value.length === 0 ? ":value: " : `:value:(${value.join(" ")})`;
}

function zshText(text: string): string {
  return text.replaceAll(/[[\]:\\]/g, (sign) => `\\${sign}`);
}

function fish(verbs: readonly Verb[]): string {
  const lines = verbs.flatMap(({ name, about, flags, words, isRemote }) => {
    const here = `complete -c ferryman -n '__fish_seen_subcommand_from ${name}'`;
    return [
      `complete -c ferryman -f -n __fish_use_subcommand -a ${name} -d ${fishQuoted(about)}`,
      ...flags.map((flag) => `${here}${fishFlag(flag)} -d ${fishQuoted(flag.about)}`),
      ...(words.length > 0 ? [`${here} -f -a '${words.join(" ")}'`] : []),
      ...(isRemote ? [`${here} -a '(${NAMES})'`] : []),
    ];
  });
  return `# fish completion of ferryman, made by: ferryman completion fish\n${lines.join("\n")}\n`;
}

function fishFlag({ short, long, value }: Flag): string {
  const names = `${short === undefined ? "" : ` -s ${short.slice(1)}`}${long === undefined ? "" : ` -l ${long.slice(2)}`}`;
  if (value === undefined) return names;
  if (value === "file") return `${names} -r -F`;
  return value.length === 0 ? `${names} -x` : `${names} -x -a ${fishQuoted(value.join(" "))}`;
}

function namesOf({ short, long }: Flag): readonly string[] {
  return [short, long].filter((name) => name !== undefined);
}

/** As bash and zsh take it for one word. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll(/[\\']/g, (sign) => `\\${sign}`)}'`;
}
