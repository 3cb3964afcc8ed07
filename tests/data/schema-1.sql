BEGIN TRANSACTION;
CREATE TABLE account (
	id INTEGER NOT NULL, 
	platform VARCHAR NOT NULL, 
	host VARCHAR NOT NULL, 
	handle VARCHAR NOT NULL, 
	remote_id VARCHAR, 
	key_window INTEGER NOT NULL, 
	facts JSON, 
	checked_at DATETIME, 
	state_file VARCHAR, 
	os_user VARCHAR, 
	claim_token VARCHAR, 
	lease_until DATETIME, 
	paused_at DATETIME, 
	paused_until DATETIME, 
	pause_reason VARCHAR, 
	PRIMARY KEY (id), 
	UNIQUE (platform, host, handle)
);
INSERT INTO "account" VALUES(1,'sandbox','x','@hop_tilleuls','x:@hop_tilleuls',2147483648,'{"limits": {}, "software": "sandbox", "handle": "@hop_tilleuls"}','2026-11-23 07:00:00.000000','/srv/hospital/.cm/accounts/sandbox-x-_hop_tilleuls-93b48602d61c.json','cm',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "account" VALUES(2,'sandbox','facebook','hopital.tilleuls','facebook:hopital.tilleuls',2147483648,'{"limits": {}, "software": "sandbox", "handle": "hopital.tilleuls"}','2026-11-23 07:30:00.000000','/srv/hospital/.cm/accounts/sandbox-facebook-hopital.tilleuls-a169e1fe887f.json','cm',NULL,NULL,NULL,NULL,NULL);
CREATE TABLE action (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at DATETIME NOT NULL, 
	actor VARCHAR NOT NULL, 
	os_user VARCHAR NOT NULL, 
	verb VARCHAR NOT NULL, 
	target VARCHAR NOT NULL, 
	why VARCHAR, 
	detail JSON NOT NULL, 
	previous VARCHAR NOT NULL, 
	hash VARCHAR NOT NULL
);
INSERT INTO "action" VALUES(1,'2026-11-20 08:00:00.000000','cm','cm','calendar.import','calendar',NULL,'{"file": "example.csv", "created": 110, "first_and_last": ["p1", "p110"], "updated": []}','0000000000000000000000000000000000000000000000000000000000000000','94a95249c5467befbe5b4ab3fdb4cfd9340810c5e7a037d5865846a6be66c010');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE attachment (
	id INTEGER NOT NULL, 
	message_id INTEGER NOT NULL, 
	position INTEGER NOT NULL, 
	path VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	mime VARCHAR NOT NULL, 
	alt VARCHAR NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(message_id) REFERENCES message (id), 
	UNIQUE (message_id, position)
);
CREATE TABLE attempt (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	message_id INTEGER NOT NULL, 
	account_id INTEGER NOT NULL, 
	action VARCHAR NOT NULL, 
	number INTEGER NOT NULL, 
	token VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	payload_id INTEGER, 
	started_at DATETIME NOT NULL, 
	sending_at DATETIME, 
	finished_at DATETIME, 
	outcome VARCHAR(20), 
	settled VARCHAR, 
	reason VARCHAR, 
	field VARCHAR, 
	CONSTRAINT attempt_finished CHECK ((finished_at IS NULL) = (outcome IS NULL)), 
	FOREIGN KEY(account_id) REFERENCES account (id), 
	FOREIGN KEY(message_id) REFERENCES message (id), 
	FOREIGN KEY(payload_id) REFERENCES payload (id), 
	CONSTRAINT attempt_outcome CHECK (outcome IN ('published', 'handed', 'retryable', 'rate_limited', 'auth_failed', 'rejected', 'duplicate', 'unknown'))
);
INSERT INTO "attempt" VALUES(1,6,1,'send',1,'b1aa4ee0ebff4ee9ad8a5d29395f009b','b849c86eba4b',1,'2026-11-23 07:00:00.000000','2026-11-23 07:00:00.000000','2026-11-23 07:00:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(2,1,2,'send',1,'0d9a07dd9f374b40ab9bdf760e9d0fa1','b849c86eba4b',2,'2026-11-23 07:30:00.000000','2026-11-23 07:30:00.000000','2026-11-23 07:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(3,7,1,'send',1,'1ee0a7883ba04b30acd19bc71d128ffe','b849c86eba4b',3,'2026-11-23 08:30:00.000000','2026-11-23 08:30:00.000000','2026-11-23 08:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(4,2,2,'send',1,'288032ee3ed349f19004619ca6706e4e','b849c86eba4b',4,'2026-11-23 09:30:00.000000','2026-11-23 09:30:00.000000','2026-11-23 09:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(5,8,1,'send',1,'75de699df4d74b63b5c3b79637e16b5b','b849c86eba4b',5,'2026-11-23 11:00:00.000000','2026-11-23 11:00:00.000000','2026-11-23 11:00:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(6,3,2,'send',1,'7c071b847a2c4707bcda5fead1cf1efc','b849c86eba4b',6,'2026-11-23 11:30:00.000000','2026-11-23 11:30:00.000000','2026-11-23 11:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(7,4,2,'send',1,'6906ca9647e049aca8b94a87d2aeaa3d','b849c86eba4b',7,'2026-11-23 16:00:00.000000','2026-11-23 16:00:00.000000','2026-11-23 16:00:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(8,9,1,'send',1,'05d0095ded544f8f87455e5a50551e19','b849c86eba4b',8,'2026-11-23 16:30:00.000000','2026-11-23 16:30:00.000000','2026-11-23 16:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(9,5,2,'send',1,'90e63d0ae9364783807c3a2016c1958f','b849c86eba4b',9,'2026-11-23 18:00:00.000000','2026-11-23 18:00:00.000000','2026-11-23 18:00:00.000000','published',NULL,NULL,NULL);
CREATE TABLE channel (
	name VARCHAR NOT NULL, 
	platform VARCHAR NOT NULL, 
	adapter VARCHAR NOT NULL, 
	simulated BOOLEAN NOT NULL, 
	state VARCHAR NOT NULL, 
	account_id INTEGER, 
	PRIMARY KEY (name), 
	FOREIGN KEY(account_id) REFERENCES account (id)
);
INSERT INTO "channel" VALUES('facebook','facebook','sandbox',1,'active',2);
INSERT INTO "channel" VALUES('twitter','x','sandbox',1,'active',1);
CREATE TABLE checked (
	subject VARCHAR NOT NULL, 
	pack VARCHAR NOT NULL, 
	errors INTEGER NOT NULL, 
	findings JSON NOT NULL, 
	checked_at DATETIME NOT NULL, 
	PRIMARY KEY (subject, pack)
);
CREATE TABLE message (
	id INTEGER NOT NULL, 
	post_id INTEGER, 
	item_id INTEGER, 
	n INTEGER NOT NULL, 
	role VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	link VARCHAR, 
	fingerprint VARCHAR NOT NULL, 
	saved JSON, 
	wake_at DATETIME, 
	PRIMARY KEY (id), 
	CONSTRAINT message_one_owner CHECK ((post_id IS NULL) <> (item_id IS NULL)), 
	FOREIGN KEY(post_id) REFERENCES post (id), 
	UNIQUE (post_id, n)
);
INSERT INTO "message" VALUES(1,1,NULL,1,'part','La semaine de la vaccination commence aujourd’hui à l’hôpital. Jusqu’à vendredi, une équipe vous attend dans le hall, de 10 h à 16 h. Vous pouvez venir avec le carnet de santé et toutes vos questions. Le programme jour par jour est sur notre site. 💉','https://www.hopital-tilleuls.example/semaine-vaccination','f72ee05f4e9b7e163ffbb05056e1f969a013d6d851707a93d8474383b23d1c46',NULL,NULL);
INSERT INTO "message" VALUES(2,2,NULL,1,'part','Six heures du matin, en cuisine. Les chariots partent dans une heure. Au menu : tartines, compote et chocolat chaud. Chaque plateau est préparé selon l’âge et les besoins de l’enfant. Merci aux douze personnes qui lancent la journée avant le lever du soleil.',NULL,'0c577667e0147ae03afa68a63fd8eabd1638b86fec96b8e42503aa72e2a7866a',NULL,NULL);
INSERT INTO "message" VALUES(3,3,NULL,1,'part','Quiz du lundi ! Combien de tilleuls poussent dans le parc de l’hôpital ?

A. 12
B. 27
C. 41

Dites-nous votre réponse en commentaire. La solution arrive demain, à l’heure du déjeuner. 🌳',NULL,'cfe406c82d16434832bff30ae07935c5e5cd8ab73b8e058e1d200e8bc3e2b30b',NULL,NULL);
INSERT INTO "message" VALUES(4,4,NULL,1,'part','Rhume, toux, nez qui coule : les virus de l’hiver sont de retour. Trois gestes protègent les bébés.

1. Se laver les mains avant de prendre bébé dans les bras.
2. Porter un masque quand on est enrhumé.
3. Aérer chaque pièce dix minutes par jour.

Si un bébé respire mal ou refuse de boire, appelez le 15.','https://www.hopital-tilleuls.example/hiver/bronchiolite','74ccd9902dc2553bcb93b5e2cc5dfd3de96f2e70e69e957a0e294aed0206b487',NULL,NULL);
INSERT INTO "message" VALUES(5,5,NULL,1,'part','Une histoire, une chanson, une veilleuse… Quel rituel du soir apaise vos enfants ? Partagez vos idées en commentaire. Nos auxiliaires de puériculture en feront une petite liste pour les parents qui passent la nuit ici.',NULL,'057f2e972cdde846cb63bbf12be4e0fe3e20ddec1c9a9b264b50449fc3f95e0c',NULL,NULL);
INSERT INTO "message" VALUES(6,6,NULL,1,'part','Semaine de la vaccination à l’Hôpital d’enfants des Tilleuls, de lundi à vendredi. Stand d’information, permanence médicale mercredi, rappel des recommandations aux équipes. Programme détaillé en ligne. #SemaineVaccination','https://www.hopital-tilleuls.example/semaine-vaccination','d0d54c16965dca4453c4736863aac27783a85078cef4d472f63b207e2449d576',NULL,NULL);
INSERT INTO "message" VALUES(7,7,NULL,1,'part','Communiqué : l’établissement lance une étude sur le sommeil des enfants hospitalisés. Objectif : réduire les réveils liés au bruit et à la lumière. Premiers résultats attendus dans dix-huit mois.','https://www.hopital-tilleuls.example/presse/etude-sommeil','b08d2ca10a3cd9d40d1a3e20351a89ec324b6f06e6dc997646cbb6f033156168',NULL,NULL);
INSERT INTO "message" VALUES(8,8,NULL,1,'part','Bronchiolite : notre protocole de tri des nourrissons est en ligne. Il précise les critères d’orientation vers les urgences ou vers la médecine de ville. Document ouvert aux professionnels du territoire.','https://www.hopital-tilleuls.example/professionnels/bronchiolite','0a16548811fe93b63cd4b8d8218dcd5b566cb59d8cd4f16695b4bd85047b61d3',NULL,NULL);
INSERT INTO "message" VALUES(9,9,NULL,1,'part','Étudiantes et étudiants en soins : la campagne de stages du prochain semestre est ouverte. Trente terrains, de la néonatologie à la chirurgie. Les candidatures se déposent en ligne. #Stage','https://www.hopital-tilleuls.example/recrutement/stages','1a4aabd969fc44020762fb00a569fcc227f32c64608790fa7b830cb887a17808',NULL,NULL);
INSERT INTO "message" VALUES(10,10,NULL,1,'part','La grippe fatigue beaucoup les enfants et circule vite à l’école. Le vaccin est possible dès 2 ans pour tous. Il est recommandé dès 6 mois en cas de maladie chronique. Votre médecin, votre pharmacien ou notre stand peuvent vous répondre. Une question ? Posez-la en commentaire, sans donner d’information médicale personnelle.','https://www.hopital-tilleuls.example/semaine-vaccination/grippe','bdac213a117fdae9e8ec2e9bb85dd0f3f10191257e9128d4ac4f80257ea8c772',NULL,NULL);
INSERT INTO "message" VALUES(11,11,NULL,1,'part','La bonne réponse du quiz était la B : 27 tilleuls. Le doyen a été planté par les jardiniers le jour de l’ouverture de l’hôpital. Bravo à toutes les personnes qui ont compté juste ! Et vous, quel est votre coin préféré du parc ?',NULL,'ceb4a7bdcae2b0441e0114f9ababd26c85cd1da4066da53d9ed493c61649b99f',NULL,NULL);
INSERT INTO "message" VALUES(12,12,NULL,1,'part','« La nuit, on parle bas et on marche doucement. Un enfant qui se réveille cherche d’abord un visage. Alors on s’assoit, et on attend avec lui que le sommeil revienne. »

Une infirmière de nuit, douze ans de métier, raconte son service en pédiatrie. 🌙',NULL,'d1e71f690431f834ee665d455158dcc3b4cdd5ef83a217ffaf20cd17d08e527d',NULL,NULL);
INSERT INTO "message" VALUES(13,13,NULL,1,'part','Jeudi à 17 h 30, le café des parents ouvre ses portes en salle des Glycines. Le sujet : « Comment parler de l’hôpital à un petit frère ou à une grande sœur ? » Une psychologue et une éducatrice animent l’échange. Entrée libre, boissons chaudes et biscuits sur place. ☕',NULL,'6b6e827e254f4e175e07d2ba0d65de08a9f8fbfa67b5f8947a8ac7c00ff247ae',NULL,NULL);
INSERT INTO "message" VALUES(14,14,NULL,1,'part','Grippe : la vaccination peut être proposée à tous les enfants de 2 à 17 ans. Elle est recommandée dès 6 mois en cas de maladie chronique. Fiche de synthèse pour les prescripteurs. #SemaineVaccination','https://www.hopital-tilleuls.example/professionnels/grippe','b1b0639cfa4ae97e39cc0e3d86953d1ff2ddcc906c5c653551f2428aad8168b6',NULL,NULL);
INSERT INTO "message" VALUES(15,15,NULL,1,'part','Soutien aux fratries : jeudi à 17 h 30, une psychologue et une éducatrice de l’établissement échangent avec les familles. Les professionnels de l’enfance du territoire peuvent y assister, salle des Glycines.',NULL,'a4dc20364a0fdb14b304e54c46542dbad9dba269108efcfd60e6a5179246146a',NULL,NULL);
INSERT INTO "message" VALUES(16,16,NULL,1,'part','La téléexpertise pédiatrique s’ouvre aux médecins généralistes du territoire. Cinq spécialités répondent sous deux jours ouvrés : dermatologie, cardiologie, neurologie, pneumologie, endocrinologie.',NULL,'beac772b30c564781122144bbd863e77b8787394d2ab604f892dc8807aa8952f',NULL,NULL);
INSERT INTO "message" VALUES(17,17,NULL,1,'part','« Un étudiant a le droit de ne pas savoir. Il a le devoir de le dire. » Un infirmier tuteur décrit l’accompagnement des stagiaires dans nos services, de l’accueil au bilan.',NULL,'d6a6af5bf61f1aa76e0748c7cfaff5b047cb778db722e803ace43d90dea431ae',NULL,NULL);
INSERT INTO "message" VALUES(18,18,NULL,1,'part','Our sleep study opens its protocol to review. Noise, light and care timing will be measured in six paediatric units over eighteen months. Comments from fellow researchers are welcome.',NULL,'26132c944a6b7a8cd75097ffc55f3b47c0368080c3c99ad35b9403023579703a',NULL,NULL);
CREATE TABLE meta (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('workspace','181855f022da4e0d9f7794046d3a1682');
INSERT INTO "meta" VALUES('stamp','config.yaml:4276:1795320607140425304|schedules/example.csv:40185:1795320607250149857|schedules/facebook.yaml:232:1795320607140629849|schedules/twitter.yaml:232:1795320607140595498');
CREATE TABLE payload (
	id INTEGER NOT NULL, 
	message_id INTEGER NOT NULL, 
	hash VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	content_hash VARCHAR NOT NULL, 
	body JSON NOT NULL, 
	expires_at DATETIME, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(message_id) REFERENCES message (id), 
	UNIQUE ("key"), 
	UNIQUE (message_id, hash)
);
INSERT INTO "payload" VALUES(1,6,'317d61888999a0705d530c1de638be039b2aee0215f85569e688082c810ef3e6','48097e70-be7e-4aad-ac6a-624f2902635a','533541abb334c6a8acf3d35cf77f34116a0d91e286596364e78659868c310462','{"text": "Semaine de la vaccination \u00e0 l\u2019H\u00f4pital d\u2019enfants des Tilleuls, de lundi \u00e0 vendredi. Stand d\u2019information, permanence m\u00e9dicale mercredi, rappel des recommandations aux \u00e9quipes. Programme d\u00e9taill\u00e9 en ligne. #SemaineVaccination", "link": "https://www.hopital-tilleuls.example/semaine-vaccination", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 07:00:00.000000');
INSERT INTO "payload" VALUES(2,1,'d17226022923ac8d552d483b3d666e2afffe1a58f31c370f64a05b6aa6db4081','389c9465-22d0-4407-a455-884c098c6d4e','b4e429692f2f11169426d6cb64dd41d19b72e457a8db54fe29b9b380fef91bbf','{"text": "La semaine de la vaccination commence aujourd\u2019hui \u00e0 l\u2019h\u00f4pital. Jusqu\u2019\u00e0 vendredi, une \u00e9quipe vous attend dans le hall, de 10\u00a0h \u00e0 16\u00a0h. Vous pouvez venir avec le carnet de sant\u00e9 et toutes vos questions. Le programme jour par jour est sur notre site. \ud83d\udc89", "link": "https://www.hopital-tilleuls.example/semaine-vaccination", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 07:30:00.000000');
INSERT INTO "payload" VALUES(3,7,'67f05ed8aca9ff5ecef5178ea0a3cee258fa61e271a9a964ea58c04689141c43','4bed6987-8fe9-4d19-a09e-af56cde201be','90927dc63fd27e6bd34d647e0e2d6a2f5eb287503d35bc9987a33b357766e78a','{"text": "Communiqu\u00e9\u00a0: l\u2019\u00e9tablissement lance une \u00e9tude sur le sommeil des enfants hospitalis\u00e9s. Objectif\u00a0: r\u00e9duire les r\u00e9veils li\u00e9s au bruit et \u00e0 la lumi\u00e8re. Premiers r\u00e9sultats attendus dans dix-huit mois.", "link": "https://www.hopital-tilleuls.example/presse/etude-sommeil", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 08:30:00.000000');
INSERT INTO "payload" VALUES(4,2,'c88a8b5801229437eb2bad319cc10140853a7471921d0772a71a49a10a49a58c','eda248df-9582-4715-a59c-c02d7cd84606','f2617685af8e41ffb00f64fc5ab268d7365f8e0ecba3bbc48a17efccaf58e4be','{"text": "Six heures du matin, en cuisine. Les chariots partent dans une heure. Au menu\u00a0: tartines, compote et chocolat chaud. Chaque plateau est pr\u00e9par\u00e9 selon l\u2019\u00e2ge et les besoins de l\u2019enfant. Merci aux douze personnes qui lancent la journ\u00e9e avant le lever du soleil.", "link": null, "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 09:30:00.000000');
INSERT INTO "payload" VALUES(5,8,'b7d36a9b61e234b301e335b49b3b7bab8ad2442981e1252df3fcd3b01b7de17b','d27c5327-fe5d-4cdb-bcf4-7d47b052a925','ad6ce374b882645ddff21ce97ec65f9e8e9f7adb17a07d279f368a7e5d30a3b6','{"text": "Bronchiolite\u00a0: notre protocole de tri des nourrissons est en ligne. Il pr\u00e9cise les crit\u00e8res d\u2019orientation vers les urgences ou vers la m\u00e9decine de ville. Document ouvert aux professionnels du territoire.", "link": "https://www.hopital-tilleuls.example/professionnels/bronchiolite", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 11:00:00.000000');
INSERT INTO "payload" VALUES(6,3,'a65eecd098528c0269b39dd28ecac33e2d865bfc056b6cc4fc82e75470e4b13c','a2db7ec8-80ec-4274-9306-6253a9298552','8851df9d0e51c2c90a66ef849a0c661a3a4a04aefc81a92a8f985bb348bed53e','{"text": "Quiz du lundi\u00a0! Combien de tilleuls poussent dans le parc de l\u2019h\u00f4pital\u00a0?\n\nA. 12\nB. 27\nC. 41\n\nDites-nous votre r\u00e9ponse en commentaire. La solution arrive demain, \u00e0 l\u2019heure du d\u00e9jeuner. \ud83c\udf33", "link": null, "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 11:30:00.000000');
INSERT INTO "payload" VALUES(7,4,'ad9dd01467610f9cb10b2b5c30a56ba252de854d312d7973a41010b99260a3da','54c9ef94-b146-4fea-ab64-5ce30de26189','9ed09ad7774ed31b4e2cd23a2a99d6a608147d719f44ac432f86e37467354e4a','{"text": "Rhume, toux, nez qui coule\u00a0: les virus de l\u2019hiver sont de retour. Trois gestes prot\u00e8gent les b\u00e9b\u00e9s.\n\n1. Se laver les mains avant de prendre b\u00e9b\u00e9 dans les bras.\n2. Porter un masque quand on est enrhum\u00e9.\n3. A\u00e9rer chaque pi\u00e8ce dix minutes par jour.\n\nSi un b\u00e9b\u00e9 respire mal ou refuse de boire, appelez le 15.", "link": "https://www.hopital-tilleuls.example/hiver/bronchiolite", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 16:00:00.000000');
INSERT INTO "payload" VALUES(8,9,'b1cd02592e4c6b92b729cf924f0f9394d9f8d30f0cc6b4062b698f72f3c8540b','a2383388-57e0-4189-8c74-cf963a8a1bad','4ac9cade920d5f33b2b4c322baaf07f9d21836e21d32c90e9c6972c217cdd955','{"text": "\u00c9tudiantes et \u00e9tudiants en soins\u00a0: la campagne de stages du prochain semestre est ouverte. Trente terrains, de la n\u00e9onatologie \u00e0 la chirurgie. Les candidatures se d\u00e9posent en ligne. #Stage", "link": "https://www.hopital-tilleuls.example/recrutement/stages", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 16:30:00.000000');
INSERT INTO "payload" VALUES(9,5,'e4eac8fdc3dfd45652d74846c477edf3017b3c9c5b7b12535c4ee1bb68984b8c','177861eb-c64f-4bd3-a04f-20de915bb781','cb6c0b097d8ceec6d872efd19b99e76c8ae249bf23901b7466292988184566de','{"text": "Une histoire, une chanson, une veilleuse\u2026 Quel rituel du soir apaise vos enfants\u00a0? Partagez vos id\u00e9es en commentaire. Nos auxiliaires de pu\u00e9riculture en feront une petite liste pour les parents qui passent la nuit ici.", "link": null, "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 18:00:00.000000');
CREATE TABLE post (
	id INTEGER NOT NULL, 
	ref VARCHAR, 
	story_id INTEGER, 
	occurrence VARCHAR NOT NULL, 
	channel VARCHAR NOT NULL, 
	establishment VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	fields JSON NOT NULL, 
	theme VARCHAR, 
	campaign VARCHAR, 
	audiences JSON NOT NULL, 
	language VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	link VARCHAR, 
	first_comment VARCHAR, 
	visibility VARCHAR NOT NULL, 
	state VARCHAR(20) NOT NULL, 
	scheduled_at DATETIME, 
	wall VARCHAR, 
	zone VARCHAR, 
	day DATE, 
	grace INTEGER, 
	not_before DATETIME, 
	wake_at DATETIME, 
	reason VARCHAR, 
	over_reason VARCHAR, 
	in_quota BOOLEAN NOT NULL, 
	urgent BOOLEAN NOT NULL, 
	example BOOLEAN NOT NULL, 
	author VARCHAR NOT NULL, 
	content_hash VARCHAR NOT NULL, 
	claim_token VARCHAR, 
	published_at DATETIME, 
	created_at DATETIME NOT NULL, 
	updated_at DATETIME NOT NULL, 
	rev INTEGER NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(channel) REFERENCES channel (name), 
	FOREIGN KEY(story_id) REFERENCES story (id), 
	UNIQUE (ref), 
	UNIQUE (story_id, channel, occurrence), 
	CONSTRAINT post_state CHECK (state IN ('draft', 'scheduled', 'publishing', 'published', 'handed', 'unconfirmed', 'failed', 'missed', 'cancelled'))
);
INSERT INTO "post" VALUES(1,'fb-d00-a',1,'1','facebook','tilleuls','announcement','{}','prevention','semaine-vaccination','["public", "families"]','fr','La semaine de la vaccination commence aujourd’hui à l’hôpital. Jusqu’à vendredi, une équipe vous attend dans le hall, de 10 h à 16 h. Vous pouvez venir avec le carnet de santé et toutes vos questions. Le programme jour par jour est sur notre site. 💉','https://www.hopital-tilleuls.example/semaine-vaccination',NULL,'public','published','2026-11-23 07:30:00.000000','2026-11-23T08:30','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'cm','b4e429692f2f11169426d6cb64dd41d19b72e457a8db54fe29b9b380fef91bbf',NULL,'2026-11-23 07:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(2,'fb-d00-b',2,'1','facebook','tilleuls','backstage','{}','coulisses',NULL,'["public"]','fr','Six heures du matin, en cuisine. Les chariots partent dans une heure. Au menu : tartines, compote et chocolat chaud. Chaque plateau est préparé selon l’âge et les besoins de l’enfant. Merci aux douze personnes qui lancent la journée avant le lever du soleil.',NULL,NULL,'public','published','2026-11-23 09:30:00.000000','2026-11-23T10:30','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'cm','f2617685af8e41ffb00f64fc5ab268d7365f8e0ecba3bbc48a17efccaf58e4be',NULL,'2026-11-23 09:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(3,'fb-d00-c',3,'1','facebook','tilleuls','quiz','{"answer": "B. 27 tilleuls"}','vie-a-l-hopital',NULL,'["public", "families"]','fr','Quiz du lundi ! Combien de tilleuls poussent dans le parc de l’hôpital ?

A. 12
B. 27
C. 41

Dites-nous votre réponse en commentaire. La solution arrive demain, à l’heure du déjeuner. 🌳',NULL,NULL,'public','published','2026-11-23 11:30:00.000000','2026-11-23T12:30','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'cm','8851df9d0e51c2c90a66ef849a0c661a3a4a04aefc81a92a8f985bb348bed53e',NULL,'2026-11-23 11:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(4,'fb-d00-d',4,'1','facebook','tilleuls','prevention','{}','hiver',NULL,'["families"]','fr','Rhume, toux, nez qui coule : les virus de l’hiver sont de retour. Trois gestes protègent les bébés.

1. Se laver les mains avant de prendre bébé dans les bras.
2. Porter un masque quand on est enrhumé.
3. Aérer chaque pièce dix minutes par jour.

Si un bébé respire mal ou refuse de boire, appelez le 15.','https://www.hopital-tilleuls.example/hiver/bronchiolite',NULL,'public','published','2026-11-23 16:00:00.000000','2026-11-23T17:00','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'cm','9ed09ad7774ed31b4e2cd23a2a99d6a608147d719f44ac432f86e37467354e4a',NULL,'2026-11-23 16:00:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(5,'fb-d00-e',5,'1','facebook','tilleuls','conversation','{}','vie-a-l-hopital',NULL,'["families"]','fr','Une histoire, une chanson, une veilleuse… Quel rituel du soir apaise vos enfants ? Partagez vos idées en commentaire. Nos auxiliaires de puériculture en feront une petite liste pour les parents qui passent la nuit ici.',NULL,NULL,'public','published','2026-11-23 18:00:00.000000','2026-11-23T19:00','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'cm','cb6c0b097d8ceec6d872efd19b99e76c8ae249bf23901b7466292988184566de',NULL,'2026-11-23 18:00:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(6,'x-d00-a',1,'1','twitter','tilleuls','announcement','{}','prevention','semaine-vaccination','["institutions", "professionals"]','fr','Semaine de la vaccination à l’Hôpital d’enfants des Tilleuls, de lundi à vendredi. Stand d’information, permanence médicale mercredi, rappel des recommandations aux équipes. Programme détaillé en ligne. #SemaineVaccination','https://www.hopital-tilleuls.example/semaine-vaccination',NULL,'public','published','2026-11-23 07:00:00.000000','2026-11-23T08:00','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'cm','533541abb334c6a8acf3d35cf77f34116a0d91e286596364e78659868c310462',NULL,'2026-11-23 07:00:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(7,'x-d00-b',6,'1','twitter','tilleuls','press_release','{}','recherche',NULL,'["institutions", "researchers"]','fr','Communiqué : l’établissement lance une étude sur le sommeil des enfants hospitalisés. Objectif : réduire les réveils liés au bruit et à la lumière. Premiers résultats attendus dans dix-huit mois.','https://www.hopital-tilleuls.example/presse/etude-sommeil',NULL,'public','published','2026-11-23 08:30:00.000000','2026-11-23T09:30','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'cm','90927dc63fd27e6bd34d647e0e2d6a2f5eb287503d35bc9987a33b357766e78a',NULL,'2026-11-23 08:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(8,'x-d00-c',4,'1','twitter','tilleuls','prevention','{}','hiver',NULL,'["professionals"]','fr','Bronchiolite : notre protocole de tri des nourrissons est en ligne. Il précise les critères d’orientation vers les urgences ou vers la médecine de ville. Document ouvert aux professionnels du territoire.','https://www.hopital-tilleuls.example/professionnels/bronchiolite',NULL,'public','published','2026-11-23 11:00:00.000000','2026-11-23T12:00','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'cm','ad6ce374b882645ddff21ce97ec65f9e8e9f7adb17a07d279f368a7e5d30a3b6',NULL,'2026-11-23 11:00:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(9,'x-d00-d',7,'1','twitter','tilleuls','recruitment','{}','metiers','recrutement-2027','["students"]','fr','Étudiantes et étudiants en soins : la campagne de stages du prochain semestre est ouverte. Trente terrains, de la néonatologie à la chirurgie. Les candidatures se déposent en ligne. #Stage','https://www.hopital-tilleuls.example/recrutement/stages',NULL,'public','published','2026-11-23 16:30:00.000000','2026-11-23T17:30','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'cm','4ac9cade920d5f33b2b4c322baaf07f9d21836e21d32c90e9c6972c217cdd955',NULL,'2026-11-23 16:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(10,'fb-d01-a',8,'1','facebook','tilleuls','prevention','{}','prevention','semaine-vaccination','["families"]','fr','La grippe fatigue beaucoup les enfants et circule vite à l’école. Le vaccin est possible dès 2 ans pour tous. Il est recommandé dès 6 mois en cas de maladie chronique. Votre médecin, votre pharmacien ou notre stand peuvent vous répondre. Une question ? Posez-la en commentaire, sans donner d’information médicale personnelle.','https://www.hopital-tilleuls.example/semaine-vaccination/grippe',NULL,'public','scheduled','2026-11-24 07:30:00.000000','2026-11-24T08:30','Europe/Paris','2026-11-24',NULL,NULL,'2026-11-24 07:30:00.000000',NULL,NULL,1,0,1,'cm','c12e44ae4da5be0f674ce16cd3565363c4d7f7fdc9ae49e39651dbd0c1a146cf',NULL,NULL,'2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(11,'fb-d01-b',3,'2','facebook','tilleuls','conversation','{}','vie-a-l-hopital',NULL,'["public", "families"]','fr','La bonne réponse du quiz était la B : 27 tilleuls. Le doyen a été planté par les jardiniers le jour de l’ouverture de l’hôpital. Bravo à toutes les personnes qui ont compté juste ! Et vous, quel est votre coin préféré du parc ?',NULL,NULL,'public','scheduled','2026-11-24 11:30:00.000000','2026-11-24T12:30','Europe/Paris','2026-11-24',NULL,NULL,'2026-11-24 11:30:00.000000',NULL,NULL,1,0,1,'cm','4d8f964472733a020eeec00e70000ee6720afbb73a26754c9101cf793e998cd1',NULL,NULL,'2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(12,'fb-d01-c',9,'1','facebook','tilleuls','testimony','{}','metiers',NULL,'["public", "families"]','fr','« La nuit, on parle bas et on marche doucement. Un enfant qui se réveille cherche d’abord un visage. Alors on s’assoit, et on attend avec lui que le sommeil revienne. »

Une infirmière de nuit, douze ans de métier, raconte son service en pédiatrie. 🌙',NULL,NULL,'public','scheduled','2026-11-24 16:00:00.000000','2026-11-24T17:00','Europe/Paris','2026-11-24',NULL,NULL,'2026-11-24 16:00:00.000000',NULL,NULL,1,0,1,'cm','f9532fcd95aa8266ab02f11c50b9d40f3860c866b58308eacc99057f0e30472f',NULL,NULL,'2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(13,'fb-d01-d',10,'1','facebook','tilleuls','event','{"event_date": "2026-11-26", "place": "Salle des Glycines"}','vie-a-l-hopital',NULL,'["families"]','fr','Jeudi à 17 h 30, le café des parents ouvre ses portes en salle des Glycines. Le sujet : « Comment parler de l’hôpital à un petit frère ou à une grande sœur ? » Une psychologue et une éducatrice animent l’échange. Entrée libre, boissons chaudes et biscuits sur place. ☕',NULL,NULL,'public','scheduled','2026-11-24 18:00:00.000000','2026-11-24T19:00','Europe/Paris','2026-11-24',NULL,NULL,'2026-11-24 18:00:00.000000',NULL,NULL,1,0,1,'cm','08c2b7cfeef26b89663b39e764141b34164a5a2938eb0f2343076969f596cc1a',NULL,NULL,'2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(14,'x-d01-a',8,'1','twitter','tilleuls','prevention','{}','prevention','semaine-vaccination','["professionals", "institutions"]','fr','Grippe : la vaccination peut être proposée à tous les enfants de 2 à 17 ans. Elle est recommandée dès 6 mois en cas de maladie chronique. Fiche de synthèse pour les prescripteurs. #SemaineVaccination','https://www.hopital-tilleuls.example/professionnels/grippe',NULL,'public','scheduled','2026-11-24 07:00:00.000000','2026-11-24T08:00','Europe/Paris','2026-11-24',NULL,NULL,'2026-11-24 07:00:00.000000',NULL,NULL,1,0,1,'cm','4f866f894cf5c8eb6408b06905ab0ee4fed0c11d224385d78a9a47404414e857',NULL,NULL,'2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(15,'x-d01-b',10,'1','twitter','tilleuls','event','{"event_date": "2026-11-26", "place": "Salle des Glycines"}','vie-a-l-hopital',NULL,'["institutions", "professionals"]','fr','Soutien aux fratries : jeudi à 17 h 30, une psychologue et une éducatrice de l’établissement échangent avec les familles. Les professionnels de l’enfance du territoire peuvent y assister, salle des Glycines.',NULL,NULL,'public','scheduled','2026-11-24 08:30:00.000000','2026-11-24T09:30','Europe/Paris','2026-11-24',NULL,NULL,'2026-11-24 08:30:00.000000',NULL,NULL,1,0,1,'cm','4d09dccf8d8f8c5a430694f859da866570586d36529cca990f7068d46ad2c913',NULL,NULL,'2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(16,'x-d01-c',11,'1','twitter','tilleuls','announcement','{}','parcours-de-soins',NULL,'["professionals"]','fr','La téléexpertise pédiatrique s’ouvre aux médecins généralistes du territoire. Cinq spécialités répondent sous deux jours ouvrés : dermatologie, cardiologie, neurologie, pneumologie, endocrinologie.',NULL,NULL,'public','scheduled','2026-11-24 11:00:00.000000','2026-11-24T12:00','Europe/Paris','2026-11-24',NULL,NULL,'2026-11-24 11:00:00.000000',NULL,NULL,1,0,1,'cm','375f7b76d75deacbb9cc89ef00bee171758a7edb4ce820717228a27beeb003d4',NULL,NULL,'2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(17,'x-d01-d',12,'1','twitter','tilleuls','testimony','{}','metiers',NULL,'["students", "professionals"]','fr','« Un étudiant a le droit de ne pas savoir. Il a le devoir de le dire. » Un infirmier tuteur décrit l’accompagnement des stagiaires dans nos services, de l’accueil au bilan.',NULL,NULL,'public','scheduled','2026-11-24 13:30:00.000000','2026-11-24T14:30','Europe/Paris','2026-11-24',NULL,NULL,'2026-11-24 13:30:00.000000',NULL,NULL,1,0,1,'cm','89f9553a9fd05015ce856c2ffde33ded2031971f69609a86dbf680e19fafc8bd',NULL,NULL,'2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
INSERT INTO "post" VALUES(18,'x-d01-e',6,'2','twitter','tilleuls','conversation','{}','recherche',NULL,'["researchers"]','en','Our sleep study opens its protocol to review. Noise, light and care timing will be measured in six paediatric units over eighteen months. Comments from fellow researchers are welcome.',NULL,NULL,'public','scheduled','2026-11-24 16:30:00.000000','2026-11-24T17:30','Europe/Paris','2026-11-24',NULL,NULL,'2026-11-24 16:30:00.000000',NULL,NULL,1,0,1,'cm','3effef60e8206df3e8e6f944f0afb0243fcb61bb284e13dc709bba9b2956f695',NULL,NULL,'2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1);
CREATE TABLE receipt (
	id INTEGER NOT NULL, 
	message_id INTEGER NOT NULL, 
	attempt_id INTEGER, 
	account_id INTEGER NOT NULL, 
	platform VARCHAR NOT NULL, 
	remote_id VARCHAR NOT NULL, 
	permalink VARCHAR, 
	published_at DATETIME NOT NULL, 
	source VARCHAR NOT NULL, 
	recorded_at DATETIME NOT NULL, 
	PRIMARY KEY (id), 
	FOREIGN KEY(account_id) REFERENCES account (id), 
	FOREIGN KEY(attempt_id) REFERENCES attempt (id), 
	FOREIGN KEY(message_id) REFERENCES message (id), 
	UNIQUE (platform, account_id, remote_id)
);
INSERT INTO "receipt" VALUES(1,6,1,1,'sandbox','sb-1','sandbox://@hop_tilleuls/sb-1','2026-11-23 07:00:00.000000','sent','2026-11-23 07:00:00.000000');
INSERT INTO "receipt" VALUES(2,1,2,2,'sandbox','sb-2','sandbox://hopital.tilleuls/sb-2','2026-11-23 07:30:00.000000','sent','2026-11-23 07:30:00.000000');
INSERT INTO "receipt" VALUES(3,7,3,1,'sandbox','sb-3','sandbox://@hop_tilleuls/sb-3','2026-11-23 08:30:00.000000','sent','2026-11-23 08:30:00.000000');
INSERT INTO "receipt" VALUES(4,2,4,2,'sandbox','sb-4','sandbox://hopital.tilleuls/sb-4','2026-11-23 09:30:00.000000','sent','2026-11-23 09:30:00.000000');
INSERT INTO "receipt" VALUES(5,8,5,1,'sandbox','sb-5','sandbox://@hop_tilleuls/sb-5','2026-11-23 11:00:00.000000','sent','2026-11-23 11:00:00.000000');
INSERT INTO "receipt" VALUES(6,3,6,2,'sandbox','sb-6','sandbox://hopital.tilleuls/sb-6','2026-11-23 11:30:00.000000','sent','2026-11-23 11:30:00.000000');
INSERT INTO "receipt" VALUES(7,4,7,2,'sandbox','sb-7','sandbox://hopital.tilleuls/sb-7','2026-11-23 16:00:00.000000','sent','2026-11-23 16:00:00.000000');
INSERT INTO "receipt" VALUES(8,9,8,1,'sandbox','sb-8','sandbox://@hop_tilleuls/sb-8','2026-11-23 16:30:00.000000','sent','2026-11-23 16:30:00.000000');
INSERT INTO "receipt" VALUES(9,5,9,2,'sandbox','sb-9','sandbox://hopital.tilleuls/sb-9','2026-11-23 18:00:00.000000','sent','2026-11-23 18:00:00.000000');
CREATE TABLE snapshot (
	id INTEGER NOT NULL, 
	post_id INTEGER, 
	channel VARCHAR NOT NULL, 
	taken_at DATETIME NOT NULL, 
	source VARCHAR NOT NULL, 
	followers INTEGER, 
	reach INTEGER, 
	impressions INTEGER, 
	reactions INTEGER, 
	comments INTEGER, 
	shares INTEGER, 
	saves INTEGER, 
	clicks INTEGER, 
	views INTEGER, 
	engagements INTEGER, 
	PRIMARY KEY (id), 
	FOREIGN KEY(channel) REFERENCES channel (name), 
	FOREIGN KEY(post_id) REFERENCES post (id)
);
INSERT INTO "snapshot" VALUES(1,NULL,'facebook','2026-11-22 23:00:00.000000','sandbox',3000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "snapshot" VALUES(2,NULL,'twitter','2026-11-22 23:00:00.000000','sandbox',3000,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "snapshot" VALUES(3,1,'facebook','2026-11-24 06:30:00.000000','sandbox',NULL,865,961,40,7,5,NULL,30,NULL,NULL);
INSERT INTO "snapshot" VALUES(4,2,'facebook','2026-11-24 06:30:00.000000','sandbox',NULL,857,1315,38,2,8,NULL,22,NULL,NULL);
INSERT INTO "snapshot" VALUES(5,3,'facebook','2026-11-24 06:30:00.000000','sandbox',NULL,676,908,15,6,2,NULL,10,NULL,NULL);
INSERT INTO "snapshot" VALUES(6,4,'facebook','2026-11-24 06:30:00.000000','sandbox',NULL,146,189,3,1,0,NULL,4,NULL,NULL);
INSERT INTO "snapshot" VALUES(7,5,'facebook','2026-11-24 06:30:00.000000','sandbox',NULL,329,400,14,3,0,NULL,9,NULL,NULL);
INSERT INTO "snapshot" VALUES(8,NULL,'facebook','2026-11-24 06:30:00.000000','sandbox',3001,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "snapshot" VALUES(9,6,'twitter','2026-11-24 06:30:00.000000','sandbox',NULL,809,1271,24,1,11,NULL,8,NULL,NULL);
INSERT INTO "snapshot" VALUES(10,7,'twitter','2026-11-24 06:30:00.000000','sandbox',NULL,417,492,13,2,4,NULL,5,NULL,NULL);
INSERT INTO "snapshot" VALUES(11,8,'twitter','2026-11-24 06:30:00.000000','sandbox',NULL,217,336,11,1,2,NULL,5,NULL,NULL);
INSERT INTO "snapshot" VALUES(12,9,'twitter','2026-11-24 06:30:00.000000','sandbox',NULL,493,707,21,4,2,NULL,15,NULL,NULL);
INSERT INTO "snapshot" VALUES(13,NULL,'twitter','2026-11-24 06:30:00.000000','sandbox',3001,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE story (
	id INTEGER NOT NULL, 
	ref VARCHAR NOT NULL, 
	title VARCHAR NOT NULL, 
	created_at DATETIME NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (ref)
);
INSERT INTO "story" VALUES(1,'semaine-vaccination','semaine-vaccination','2026-11-20 08:00:00.000000');
INSERT INTO "story" VALUES(2,'cuisine-du-matin','cuisine-du-matin','2026-11-20 08:00:00.000000');
INSERT INTO "story" VALUES(3,'quiz-tilleuls','quiz-tilleuls','2026-11-20 08:00:00.000000');
INSERT INTO "story" VALUES(4,'bronchiolite-gestes','bronchiolite-gestes','2026-11-20 08:00:00.000000');
INSERT INTO "story" VALUES(5,'rituel-du-soir','rituel-du-soir','2026-11-20 08:00:00.000000');
INSERT INTO "story" VALUES(6,'etude-sommeil','etude-sommeil','2026-11-20 08:00:00.000000');
INSERT INTO "story" VALUES(7,'stages-etudiants','stages-etudiants','2026-11-20 08:00:00.000000');
INSERT INTO "story" VALUES(8,'grippe-vaccination','grippe-vaccination','2026-11-20 08:00:00.000000');
INSERT INTO "story" VALUES(9,'infirmiere-de-nuit','infirmiere-de-nuit','2026-11-20 08:00:00.000000');
INSERT INTO "story" VALUES(10,'cafe-des-parents','cafe-des-parents','2026-11-20 08:00:00.000000');
INSERT INTO "story" VALUES(11,'teleexpertise','teleexpertise','2026-11-20 08:00:00.000000');
INSERT INTO "story" VALUES(12,'tutorat','tutorat','2026-11-20 08:00:00.000000');
CREATE INDEX ix_post_channel_day ON post (channel, day);
CREATE INDEX ix_post_state_scheduled ON post (state, scheduled_at);
CREATE INDEX ix_post_wake ON post (wake_at);
CREATE INDEX ix_message_wake ON message (wake_at);
CREATE INDEX ix_snapshot_channel ON snapshot (channel, taken_at) WHERE post_id IS NULL;
CREATE INDEX ix_snapshot_post ON snapshot (post_id, taken_at);
CREATE INDEX ix_attempt_account ON attempt (account_id, id);
CREATE INDEX ix_attempt_doubt ON attempt (account_id) WHERE outcome = 'unknown' AND settled IS NULL;
CREATE INDEX ix_attempt_message ON attempt (message_id);
CREATE INDEX ix_receipt_message ON receipt (message_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('action',1);
INSERT INTO "sqlite_sequence" VALUES('attempt',9);
COMMIT;
PRAGMA user_version = 1;
