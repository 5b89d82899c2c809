// Drives every operation with the library of spring 2023.
"use strict";

const { createReadStream } = require("node:fs");
const { Configuration, OpenAIApi } = require("openai");
const { version } = require("openai/package.json");
const {
  FAULTS,
  baseUrl,
  control,
  drive,
  fetched,
  key,
  limitedKey,
  tell,
  tellRefusal,
  tunedModel,
} = require("./telling.cjs");

const opened = (apiKey) => new OpenAIApi(new Configuration({ apiKey, basePath: baseUrl }));
const api = opened(key);
const told = async (reply) => (await reply).data;

// The library hands a stream over as it comes.
async function events(reply) {
  let text = "";
  for await (const piece of await told(reply)) text += piece;
  const datas = text.split("\n\n").map((event) => event.replace("data: ", ""));
  if (datas.splice(-2)[0] !== "[DONE]") throw new Error("the stream was not done");
  return datas.map((data) => JSON.parse(data));
}

const STREAM = { responseType: "stream" };

async function models() {
  await tell("listModels", () => told(api.listModels()));
  await tell("retrieveModel", () => told(api.retrieveModel("gpt-3.5-turbo")));
  const model = await tunedModel();
  await tell("deleteModel", () => told(api.deleteModel(model)));
  await tellRefusal("deleteModel again", () => api.deleteModel(model));
}

async function engines() {
  await tell("listEngines", () => told(api.listEngines()));
  await tell("retrieveEngine", () => told(api.retrieveEngine("text-davinci-003")));
}

async function completions() {
  const create = (body) => told(api.createCompletion(body));
  await tell("createCompletion", create);
  await tell("createCompletion several", create);
  const stream = (body) => events(api.createCompletion(body, STREAM));
  await tell("createCompletion streamed", stream);
}

async function chat() {
  await tell("createChatCompletion", (body) => told(api.createChatCompletion(body)));
  const stream = (body) => events(api.createChatCompletion(body, STREAM));
  await tell("createChatCompletion streamed", stream);
}

async function edits() {
  await tell("createEdit", (body) => told(api.createEdit(body)));
}

async function images() {
  const create = (body) => told(api.createImage(body));
  const [image, mask] = ["otter.png", "mask.png"];
  await tell("createImage", create);
  const shown = async (body) => fetched((await create(body)).data[0].url);
  await tell("createImage url", shown);
  await tell("createImageEdit", ({ prompt, n, size, response_format }) => {
    const files = [createReadStream(image), prompt, createReadStream(mask)];
    return told(api.createImageEdit(...files, n, size, response_format));
  });
  await tell("createImageVariation", ({ n, size, response_format }) => {
    const file = createReadStream(image);
    return told(api.createImageVariation(file, n, size, response_format));
  });
}

async function embeddings() {
  for (const name of ["", " texts", " tokens"]) {
    await tell(`createEmbedding${name}`, (body) => told(api.createEmbedding(body)));
  }
}

async function moderations() {
  await tell("createModeration", (body) => told(api.createModeration(body)));
}

async function audio() {
  for (const name of ["", " srt", " verbose"]) {
    await tell(`createTranscription${name}`, (asked) => {
      const { model, response_format: form, temperature, language } = asked;
      const file = createReadStream("audio.mp3");
      const words = [file, model, undefined, form, temperature, language];
      return told(api.createTranscription(...words));
    });
  }
  await tell("createTranslation", ({ model }) =>
    told(api.createTranslation(createReadStream("german.m4a"), model)),
  );
}

async function upload() {
  const file = await tell("createFile", ({ purpose }) =>
    told(api.createFile(createReadStream("mydata.jsonl"), purpose)),
  );
  return file.id;
}

async function files() {
  const id = await upload();
  await tell("listFiles", () => told(api.listFiles()));
  await tell("retrieveFile", () => told(api.retrieveFile(id)));
  const download = async () => Buffer.from(await told(api.downloadFile(id)));
  await tell("downloadFile", download);
  await tell("deleteFile", () => told(api.deleteFile(id)));
  await tellRefusal("deleteFile again", () => api.deleteFile(id));
}

async function fineTunes() {
  const training_file = await upload();
  const { id } = await tell("createFineTune", (body) =>
    told(api.createFineTune({ ...body, training_file })),
  );
  await tell("cancelFineTune", () => told(api.cancelFineTune(id)));
  await tell("retrieveFineTune", () => told(api.retrieveFineTune(id)));
  await tell("listFineTunes", () => told(api.listFineTunes()));
  await tell("listFineTuneEvents", () => told(api.listFineTuneEvents(id)));
  await tell("listFineTuneEvents streamed", ({ stream }) =>
    events(api.listFineTuneEvents(id, stream, STREAM)),
  );
}

async function refusals() {
  const create = (body) => api.createEmbedding(body);
  await tellRefusal("createEmbedding unknown model", create);
  await tellRefusal("createEmbedding no input", create);
  const limited = opened(await limitedKey());
  await tellRefusal("createEmbedding limited", (body) => limited.createEmbedding(body));
  for (const name of FAULTS) {
    await control("fault", { refusal: name });
    await tellRefusal(`createEmbedding ${name}`, create);
  }
}

drive(version, [
  models,
  engines,
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
]);
