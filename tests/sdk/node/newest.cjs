// Drives every operation with the newest library.
"use strict";

const { createReadStream } = require("node:fs");
const { OpenAI } = require("openai");
const { VERSION } = require("openai/version");
const {
  FAULTS,
  baseUrl,
  control,
  drive,
  edition,
  fetched,
  key,
  limitedKey,
  tell,
  tellRefusal,
  tunedModel,
} = require("./telling.cjs");

const opened = (apiKey) => new OpenAI({ apiKey, baseURL: baseUrl, maxRetries: 0 });
const client = opened(key);

// For these the library has no method any more, only its general request.
const BARE = [
  "listEngines",
  "retrieveEngine",
  "createEdit",
  "createFineTune",
  "cancelFineTune",
  "retrieveFineTune",
  "listFineTunes",
  "listFineTuneEvents",
];

async function listed(page) {
  return (await page).body;
}

async function chunks(stream) {
  const found = [];
  for await (const chunk of await stream) found.push(chunk);
  return found;
}

async function bytes(reply) {
  return Buffer.from(await (await reply).arrayBuffer());
}

async function models() {
  await tell("listModels", () => listed(client.models.list()));
  await tell("retrieveModel", () => client.models.retrieve("gpt-3.5-turbo"));
  const model = await tunedModel();
  await tell("deleteModel", () => client.models.delete(model));
  await tellRefusal("deleteModel again", () => client.models.delete(model));
}

async function engines() {
  await tell("listEngines", () => client.get("/engines"));
  await tell("retrieveEngine", () => client.get("/engines/text-davinci-003"));
}

async function completions() {
  const create = (body) => client.completions.create(body);
  await tell("createCompletion", create);
  await tell("createCompletion several", create);
  await tell("createCompletion streamed", (body) => chunks(create(body)));
}

async function chat() {
  const create = (body) => client.chat.completions.create(body);
  await tell("createChatCompletion", create);
  await tell("createChatCompletion streamed", (body) => chunks(create(body)));
}

async function edits() {
  await tell("createEdit", (body) => client.post("/edits", { body }));
}

async function images() {
  const create = (body) => client.images.generate(body);
  await tell("createImage", create);
  const shown = async (body) => fetched((await create(body)).data[0].url);
  await tell("createImage url", shown);
  await tell("createImageEdit", (body) => {
    const [image, mask] = ["otter.png", "mask.png"].map((name) => createReadStream(name));
    return client.images.edit({ ...body, image, mask });
  });
  await tell("createImageVariation", (body) => {
    const image = createReadStream("otter.png");
    return client.images.createVariation({ ...body, image });
  });
}

async function embeddings() {
  for (const name of ["", " texts", " tokens"]) {
    await tell(`createEmbedding${name}`, (body) => client.embeddings.create(body));
  }
}

async function moderations() {
  await tell("createModeration", (body) => client.moderations.create(body));
}

async function audio() {
  for (const name of ["", " srt", " verbose"]) {
    await tell(`createTranscription${name}`, (body) => {
      const file = createReadStream("audio.mp3");
      return client.audio.transcriptions.create({ ...body, file });
    });
  }
  await tell("createTranslation", (body) => {
    const file = createReadStream("german.m4a");
    return client.audio.translations.create({ ...body, file });
  });
}

async function speech() {
  await tell("createSpeech", (body) => bytes(client.audio.speech.create(body)));
}

async function upload() {
  const file = await tell("createFile", (body) =>
    client.files.create({ ...body, file: createReadStream("mydata.jsonl") }),
  );
  return file.id;
}

async function files() {
  const id = await upload();
  await tell("listFiles", () => listed(client.files.list()));
  await tell("retrieveFile", () => client.files.retrieve(id));
  await tell("downloadFile", () => bytes(client.files.content(id)));
  await tell("deleteFile", () => client.files.delete(id));
  await tellRefusal("deleteFile again", () => client.files.delete(id));
}

async function fineTunes() {
  const training_file = await upload();
  const { id } = await tell("createFineTune", (body) =>
    client.post("/fine-tunes", { body: { ...body, training_file } }),
  );
  const path = `/fine-tunes/${id}`;
  await tell("cancelFineTune", () => client.post(`${path}/cancel`));
  await tell("retrieveFineTune", () => client.get(path));
  await tell("listFineTunes", () => client.get("/fine-tunes"));
  await tell("listFineTuneEvents", () => client.get(`${path}/events`));
  await tell("listFineTuneEvents streamed", (query) =>
    chunks(client.get(`${path}/events`, { query, stream: true })),
  );
}

async function refusals() {
  const create = (body) => client.embeddings.create(body);
  await tellRefusal("createEmbedding unknown model", create);
  await tellRefusal("createEmbedding no input", create);
  const limited = opened(await limitedKey());
  await tellRefusal("createEmbedding limited", (body) => limited.embeddings.create(body));
  for (const name of FAULTS) {
    await control("fault", { refusal: name });
    await tellRefusal(`createEmbedding ${name}`, create);
  }
}

drive(
  VERSION,
  [
    models,
    edition === "2023-04" ? engines : speech,
    completions,
    chat,
    edits,
    images,
    embeddings,
    moderations,
    audio,
    files,
    fineTunes,
    refusals,
  ],
  BARE,
);
