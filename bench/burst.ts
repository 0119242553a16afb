/** 50 messages at once into one warm session, until the last reply is there. */
import { Client, inWorld, round, roundTrip } from './measure.ts';

const MESSAGES = 50;

export async function burst(): Promise<object> {
  return inWorld(async (world) => {
    await world.createAgent({ name: 'a', sandbox: 'bubblewrap' });
    const chat = world.chat('a');
    const client = new Client(world);
    for (let n = 0; n < 20; n++) await roundTrip(client, chat, 'a', `warm${n}`);
    const seen = chat.texts.length;
    const sent = Array.from({ length: MESSAGES }, (_, n) => `n${n}`);
    const began = performance.now();
    const accepted = sent.map((text) => client.send('a', `@reply ${text}`));
    await chat.until(() => (chat.texts.length >= seen + MESSAGES ? true : undefined));
    const took = performance.now() - began;
    const ids = await Promise.all(accepted);
    // Sent over many connections at once, they are accepted in the order of their ids.
    const order = ids.map((it, n) => ({ id: it.id ?? '', text: sent[n] })).sort((a, b) => (a.id < b.id ? -1 : 1));
    const inOrder = order.every((it, n) => chat.texts[seen + n] === it.text);
    chat.close();
    client.close();
    return { one_session_ms: round(took), in_order: inOrder };
  });
}
