/** The emoji that a bot may react with (core.telegram.org/bots/api#reactiontypeemoji). */
const ALLOWED =
  '👍 👎 ❤ 🔥 🥰 👏 😁 🤔 🤯 😱 🤬 😢 🎉 🤩 🤮 💩 🙏 👌 🕊 🤡 🥱 🥴 😍 🐳 ❤‍🔥 🌚 🌭 💯 🤣 ⚡ 🍌 🏆 💔 🤨 😐 🍓 🍾 💋 🖕 😈 😴 😭 🤓 👻 👨‍💻 👀 🎃 🙈 😇 😨 🤝 ✍ 🤗 🫡 🎅 🎄 ☃ 💅 🤪 🗿 🆒 💘 🙉 🦄 😘 💊 🙊 😎 👾 🤷‍♂ 🤷 🤷‍♀ 😡'.split(
    ' ',
  );

/** As Telegram spells it, without the mark that asks for colour; null where it takes no such reaction. */
export function reactionFor(emoji: string): string | null {
  const plain = emoji.replaceAll('\ufe0f', '');
  return ALLOWED.find((it) => it === plain) ?? null;
}
