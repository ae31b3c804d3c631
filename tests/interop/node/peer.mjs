// Answers questions about age files, one JSON list in, one JSON list out.
//   {"do": "seal", "recipients": […], "passphrase": "", "armor": false, "content": base64}
//   {"do": "open", "identity": "", "passphrase": "", "armor": false, "file": base64}
//   {"do": "recipient", "identity": "AGE-SECRET-KEY-…"}
import { armor, Decrypter, Encrypter, identityToRecipient } from "age-encryption";

const bytes = (text) => new Uint8Array(Buffer.from(text, "base64"));
const base64 = (data) => Buffer.from(data).toString("base64");

async function seal(question) {
  const encrypter = new Encrypter();
  if (question.passphrase) {
    encrypter.setScryptWorkFactor(4);
    encrypter.setPassphrase(question.passphrase);
  }
  for (const recipient of question.recipients ?? []) encrypter.addRecipient(recipient);
  const file = await encrypter.encrypt(bytes(question.content));
  return base64(question.armor ? Buffer.from(armor.encode(file)) : file);
}

async function open(question) {
  const decrypter = new Decrypter();
  if (question.passphrase) decrypter.addPassphrase(question.passphrase);
  if (question.identity) decrypter.addIdentity(question.identity);
  const data = bytes(question.file);
  const file = question.armor ? armor.decode(Buffer.from(data).toString("utf8")) : data;
  return base64(await decrypter.decrypt(file));
}

const verbs = { seal, open, recipient: (question) => identityToRecipient(question.identity) };

async function answer(question) {
  try {
    return { ok: await verbs[question.do](question) };
  } catch (error) {
    return { error: String(error.message ?? error) };
  }
}

const parts = [];
for await (const part of process.stdin) parts.push(part);
const answers = [];
for (const question of JSON.parse(Buffer.concat(parts).toString("utf8"))) {
  answers.push(await answer(question));
}
process.stdout.write(JSON.stringify(answers));
