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
INSERT INTO "account" VALUES(1,'sandbox','x','@hop_tilleuls','x:@hop_tilleuls',2147483648,'{"limits": {}, "software": "sandbox", "handle": "@hop_tilleuls"}','2026-11-24 08:30:00.000000','/home/cm/workspace/.cm/accounts/sandbox-x-_hop_tilleuls-93b48602d61c.json','root',NULL,NULL,NULL,NULL,NULL);
INSERT INTO "account" VALUES(2,'sandbox','facebook','hopital.tilleuls','facebook:hopital.tilleuls',2147483648,'{"limits": {}, "software": "sandbox", "handle": "hopital.tilleuls"}','2026-11-24 11:30:00.000000','/home/cm/workspace/.cm/accounts/sandbox-facebook-hopital.tilleuls-a169e1fe887f.json','root',NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "action" VALUES(1,'2026-11-20 08:00:00.000000','root','root','calendar.import','calendar',NULL,'{"file": "example.csv", "created": 110, "first_and_last": ["p1", "p110"], "updated": []}','0000000000000000000000000000000000000000000000000000000000000000','94a95249c5467befbe5b4ab3fdb4cfd9340810c5e7a037d5865846a6be66c010');
INSERT INTO "action" VALUES(2,'2026-11-25 08:00:00.000000','root','root','post.add','p24',NULL,'{"channel": "facebook", "scheduled_at": "2026-11-27T09:30:00+00:00"}','94a95249c5467befbe5b4ab3fdb4cfd9340810c5e7a037d5865846a6be66c010','865f869dbdddf571562018d966edcd0839b28e15c4289341b08ab5faaa6daa5b');
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
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
INSERT INTO "attempt" VALUES(1,6,1,'send',1,'7c988e843b8b4d8d9da4be4dba691629','f956f63625d6',1,'2026-11-23 07:00:00.000000','2026-11-23 07:00:00.000000','2026-11-23 07:00:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(2,1,2,'send',1,'5d62dd008d7f4d6fba7ffc938fa57f15','f956f63625d6',2,'2026-11-23 07:30:00.000000','2026-11-23 07:30:00.000000','2026-11-23 07:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(3,7,1,'send',1,'27fb7c49c2a3463b932ab2094fa341e5','f956f63625d6',3,'2026-11-23 08:30:00.000000','2026-11-23 08:30:00.000000','2026-11-23 08:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(4,2,2,'send',1,'d0b07bdbaff84299ad89c3e31b2dc404','f956f63625d6',4,'2026-11-23 09:30:00.000000','2026-11-23 09:30:00.000000','2026-11-23 09:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(5,8,1,'send',1,'f07504a6ecd448b2b3d58d69b8aba018','f956f63625d6',5,'2026-11-23 11:00:00.000000','2026-11-23 11:00:00.000000','2026-11-23 11:00:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(6,3,2,'send',1,'6d4c42bf593e4f87bbaefe25a20e6597','f956f63625d6',6,'2026-11-23 11:30:00.000000','2026-11-23 11:30:00.000000','2026-11-23 11:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(7,4,2,'send',1,'6ab165607a2b4e0ba975281678a445ae','f956f63625d6',7,'2026-11-23 16:00:00.000000','2026-11-23 16:00:00.000000','2026-11-23 16:00:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(8,9,1,'send',1,'8ec92a5309394f458f992b773a438b17','f956f63625d6',8,'2026-11-23 16:30:00.000000','2026-11-23 16:30:00.000000','2026-11-23 16:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(9,5,2,'send',1,'be17361df26d41798ff114d28ac1dfa9','f956f63625d6',9,'2026-11-23 18:00:00.000000','2026-11-23 18:00:00.000000','2026-11-23 18:00:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(10,14,1,'send',1,'aa2d07be3eb94d148db608716bda2546','f956f63625d6',10,'2026-11-24 07:00:00.000000','2026-11-24 07:00:00.000000','2026-11-24 07:00:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(11,10,2,'send',1,'4dbbd7424ea34ecea55d256a78a7efc5','f956f63625d6',11,'2026-11-24 07:30:00.000000','2026-11-24 07:30:00.000000','2026-11-24 07:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(12,15,1,'send',1,'f73b4d5da24c4796a1a3d155aff1b60d','f956f63625d6',12,'2026-11-24 08:30:00.000000','2026-11-24 08:30:00.000000','2026-11-24 08:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(13,16,1,'send',1,'c8071d42c0c7489ea5f2e06ecc6d82b9','f956f63625d6',13,'2026-11-24 11:00:00.000000','2026-11-24 11:00:00.000000','2026-11-24 11:00:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(14,11,2,'send',1,'c08acc4003ee46bc81cc41f70802898c','f956f63625d6',14,'2026-11-24 11:30:00.000000','2026-11-24 11:30:00.000000','2026-11-24 11:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(15,17,1,'send',1,'aed6b400fe654703ad53051e1f8cb0fd','f956f63625d6',15,'2026-11-24 13:30:00.000000','2026-11-24 13:30:00.000000','2026-11-24 13:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(16,12,2,'send',1,'17aed490b3ed4a46943b8b0a644a26c6','f956f63625d6',16,'2026-11-24 16:00:00.000000','2026-11-24 16:00:00.000000','2026-11-24 16:00:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(17,18,1,'send',1,'eb2e397c06cb49ab969e7ad1dc7d9573','f956f63625d6',17,'2026-11-24 16:30:00.000000','2026-11-24 16:30:00.000000','2026-11-24 16:30:00.000000','published',NULL,NULL,NULL);
INSERT INTO "attempt" VALUES(18,13,2,'send',1,'413d01cd583a444db250a177bc7997e5','f956f63625d6',18,'2026-11-24 18:00:00.000000','2026-11-24 18:00:00.000000','2026-11-24 18:00:00.000000','published',NULL,NULL,NULL);
CREATE TABLE change (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at DATETIME NOT NULL, 
	actor VARCHAR NOT NULL, 
	run_id VARCHAR NOT NULL, 
	verb VARCHAR NOT NULL, 
	created JSON NOT NULL, 
	undone_at DATETIME
);
INSERT INTO "change" VALUES(1,'2026-11-25 08:00:00.000000','root','d3ee0f2db617','post.add','[[24, 24]]',NULL);
CREATE TABLE changed_post (
	change_id INTEGER NOT NULL, 
	post_id INTEGER NOT NULL, 
	rev INTEGER NOT NULL, 
	"before" JSON NOT NULL, 
	PRIMARY KEY (change_id, post_id), 
	FOREIGN KEY(change_id) REFERENCES change (id)
);
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
INSERT INTO "checked" VALUES('6c7b0ef2545020c36f25d27af1eed14522d7e312da3a19f48bcbd4bbd6cf327e','2026.11-1',0,'[]','2026-11-23 07:00:00.000000');
INSERT INTO "checked" VALUES('59efe9aa9f3ff9c63ff6001c082a728ffd4946b076f67365e0359beeff0bc046','2026.11-1',0,'[]','2026-11-23 07:30:00.000000');
INSERT INTO "checked" VALUES('4d211d114627bc325b6dc335b4487013c05e8bed277a2b8742a7e3279f84112a','2026.11-1',0,'[]','2026-11-23 08:30:00.000000');
INSERT INTO "checked" VALUES('6cb6902df6bdfa9d0b62779c1185a48dacd14bb11c014ff40712d017f0a31907','2026.11-1',0,'[]','2026-11-23 09:30:00.000000');
INSERT INTO "checked" VALUES('00dde25cbc26955f3943e39f677a1070b4b52446f87d0a1d7877fc0f59b1b557','2026.11-1',0,'[]','2026-11-23 11:00:00.000000');
INSERT INTO "checked" VALUES('e68ef5b782705b54c77e69fa5a06470707558d7183063782be84a90c8510076c','2026.11-1',0,'[]','2026-11-23 11:30:00.000000');
INSERT INTO "checked" VALUES('c7d1f3476f645d0dd8142d09c472ec261d263c353b8e6cfc9acb8e3f67abaffe','2026.11-1',0,'[]','2026-11-23 16:00:00.000000');
INSERT INTO "checked" VALUES('4be4d2142c9497f9c79e725fcc375e2a9060c1b02b438cd541246dda4a83cc6e','2026.11-1',0,'[]','2026-11-23 16:30:00.000000');
INSERT INTO "checked" VALUES('6a30627ce0ce444ae01372fe14bdbc02e8b7cb6184b5a375e134cee3969733a8','2026.11-1',0,'[]','2026-11-23 18:00:00.000000');
INSERT INTO "checked" VALUES('64be09be56c8ac970567ec5f966744846c1c35d184b7d847c4657448bd745474','2026.11-1',0,'[]','2026-11-24 07:00:00.000000');
INSERT INTO "checked" VALUES('ee74e6393f897207e04d38e13a35f9c8c36db93d968ba6836f3f7b2acfd35b2e','2026.11-1',0,'[]','2026-11-24 07:30:00.000000');
INSERT INTO "checked" VALUES('cd2ca961ddc402c464cd36cd17eeae6a9031fb7be540a2375f82458bc8d6761e','2026.11-1',0,'[]','2026-11-24 08:30:00.000000');
INSERT INTO "checked" VALUES('2d19f9d5d5acd715d0b83730a2d568faedbc615ce12bf8d7f59906137662bed2','2026.11-1',0,'[]','2026-11-24 11:00:00.000000');
INSERT INTO "checked" VALUES('8e9ea5089de6b76bbd03864d755024a0a18e98af2e907c49a69fc29ab13e631a','2026.11-1',0,'[]','2026-11-24 11:30:00.000000');
INSERT INTO "checked" VALUES('e66182a819f8622f34b1b72914080663a08aa05ca23a7900fdf9ba441263d80a','2026.11-1',0,'[]','2026-11-24 13:30:00.000000');
INSERT INTO "checked" VALUES('f5d7f17fb329b87363304428e4eb01ef8f22cbec82497bec4725bd9ed21e918c','2026.11-1',0,'[]','2026-11-24 16:00:00.000000');
INSERT INTO "checked" VALUES('53cd2523776f080adcd2f96924266767315890156806023af5c1371df137f281','2026.11-1',0,'[]','2026-11-24 16:30:00.000000');
INSERT INTO "checked" VALUES('2dba1e79c2f90b4a15c6eaad3b1dd9e87b4bc42c3714675b5951a7b8ba6091ce','2026.11-1',0,'[]','2026-11-24 18:00:00.000000');
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
INSERT INTO "message" VALUES(19,19,NULL,1,'part','C’est aujourd’hui ! De 13 h 30 à 18 h, deux médecins et une puéricultrice vous reçoivent dans le hall. Vous pouvez apporter le carnet de santé de vos enfants. Nous relisons ensemble les vaccins déjà faits et ceux à prévoir. Vous pouvez venir sans rendez-vous.',NULL,'ad7ea9782537faed4e9872982c7aa4e2e14c3e306fe45a0803b5285821c5ff29',NULL,NULL);
INSERT INTO "message" VALUES(23,23,NULL,1,'part','Vaccination des équipes : un chariot passe dans chaque service jusqu’à vendredi, de jour comme de nuit. Le taux de couverture par métier sera publié dans le rapport qualité. #SemaineVaccination',NULL,'eba62a0344ba8dbcfb22fcb4ee189f6e552a1f69f9b0eeaca341e4ad893987ee',NULL,NULL);
INSERT INTO "message" VALUES(24,24,NULL,1,'part','Un texte de plus',NULL,'2bc98fc5282f2337ec26d58bd78da4da1d4a3feaf2229499b8f57e909a2fbd61',NULL,NULL);
CREATE TABLE meta (
	"key" VARCHAR NOT NULL, 
	value VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
INSERT INTO "meta" VALUES('workspace','2c86f56ed4b145a0a9a787ce283a7b90');
INSERT INTO "meta" VALUES('stamp','config.yaml:6198:1795331772071865100|schedules/example.csv:40645:1795331772166428940|schedules/facebook.yaml:232:1795331772072613967|schedules/twitter.yaml:232:1795331772072494048');
CREATE TABLE outside (
	id INTEGER NOT NULL, 
	channel VARCHAR NOT NULL, 
	source VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	label VARCHAR NOT NULL, 
	kind VARCHAR, 
	permalink VARCHAR, 
	published_at DATETIME, 
	taken_at DATETIME NOT NULL, 
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
	UNIQUE (channel, source, "key", taken_at)
);
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
INSERT INTO "payload" VALUES(1,6,'317d61888999a0705d530c1de638be039b2aee0215f85569e688082c810ef3e6','56612a93-11e9-4ab8-9109-be0040b15420','533541abb334c6a8acf3d35cf77f34116a0d91e286596364e78659868c310462','{"text": "Semaine de la vaccination \u00e0 l\u2019H\u00f4pital d\u2019enfants des Tilleuls, de lundi \u00e0 vendredi. Stand d\u2019information, permanence m\u00e9dicale mercredi, rappel des recommandations aux \u00e9quipes. Programme d\u00e9taill\u00e9 en ligne. #SemaineVaccination", "link": "https://www.hopital-tilleuls.example/semaine-vaccination", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 07:00:00.000000');
INSERT INTO "payload" VALUES(2,1,'d17226022923ac8d552d483b3d666e2afffe1a58f31c370f64a05b6aa6db4081','b80a1fef-0874-4906-becd-7ee05a04c22f','b4e429692f2f11169426d6cb64dd41d19b72e457a8db54fe29b9b380fef91bbf','{"text": "La semaine de la vaccination commence aujourd\u2019hui \u00e0 l\u2019h\u00f4pital. Jusqu\u2019\u00e0 vendredi, une \u00e9quipe vous attend dans le hall, de 10\u00a0h \u00e0 16\u00a0h. Vous pouvez venir avec le carnet de sant\u00e9 et toutes vos questions. Le programme jour par jour est sur notre site. \ud83d\udc89", "link": "https://www.hopital-tilleuls.example/semaine-vaccination", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 07:30:00.000000');
INSERT INTO "payload" VALUES(3,7,'67f05ed8aca9ff5ecef5178ea0a3cee258fa61e271a9a964ea58c04689141c43','9bd03df2-8963-43d0-8346-2fd91ca4e7c2','90927dc63fd27e6bd34d647e0e2d6a2f5eb287503d35bc9987a33b357766e78a','{"text": "Communiqu\u00e9\u00a0: l\u2019\u00e9tablissement lance une \u00e9tude sur le sommeil des enfants hospitalis\u00e9s. Objectif\u00a0: r\u00e9duire les r\u00e9veils li\u00e9s au bruit et \u00e0 la lumi\u00e8re. Premiers r\u00e9sultats attendus dans dix-huit mois.", "link": "https://www.hopital-tilleuls.example/presse/etude-sommeil", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 08:30:00.000000');
INSERT INTO "payload" VALUES(4,2,'c88a8b5801229437eb2bad319cc10140853a7471921d0772a71a49a10a49a58c','5be41972-b255-450c-a734-86ad3c0b2a43','f2617685af8e41ffb00f64fc5ab268d7365f8e0ecba3bbc48a17efccaf58e4be','{"text": "Six heures du matin, en cuisine. Les chariots partent dans une heure. Au menu\u00a0: tartines, compote et chocolat chaud. Chaque plateau est pr\u00e9par\u00e9 selon l\u2019\u00e2ge et les besoins de l\u2019enfant. Merci aux douze personnes qui lancent la journ\u00e9e avant le lever du soleil.", "link": null, "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 09:30:00.000000');
INSERT INTO "payload" VALUES(5,8,'b7d36a9b61e234b301e335b49b3b7bab8ad2442981e1252df3fcd3b01b7de17b','cc5887d4-dce7-447a-85dc-68ef3708f442','ad6ce374b882645ddff21ce97ec65f9e8e9f7adb17a07d279f368a7e5d30a3b6','{"text": "Bronchiolite\u00a0: notre protocole de tri des nourrissons est en ligne. Il pr\u00e9cise les crit\u00e8res d\u2019orientation vers les urgences ou vers la m\u00e9decine de ville. Document ouvert aux professionnels du territoire.", "link": "https://www.hopital-tilleuls.example/professionnels/bronchiolite", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 11:00:00.000000');
INSERT INTO "payload" VALUES(6,3,'a65eecd098528c0269b39dd28ecac33e2d865bfc056b6cc4fc82e75470e4b13c','1adac0cc-11e9-4039-9eee-c65e8a7060ae','8851df9d0e51c2c90a66ef849a0c661a3a4a04aefc81a92a8f985bb348bed53e','{"text": "Quiz du lundi\u00a0! Combien de tilleuls poussent dans le parc de l\u2019h\u00f4pital\u00a0?\n\nA. 12\nB. 27\nC. 41\n\nDites-nous votre r\u00e9ponse en commentaire. La solution arrive demain, \u00e0 l\u2019heure du d\u00e9jeuner. \ud83c\udf33", "link": null, "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 11:30:00.000000');
INSERT INTO "payload" VALUES(7,4,'ad9dd01467610f9cb10b2b5c30a56ba252de854d312d7973a41010b99260a3da','c285a545-763e-460a-8e2e-2300a10a2f03','9ed09ad7774ed31b4e2cd23a2a99d6a608147d719f44ac432f86e37467354e4a','{"text": "Rhume, toux, nez qui coule\u00a0: les virus de l\u2019hiver sont de retour. Trois gestes prot\u00e8gent les b\u00e9b\u00e9s.\n\n1. Se laver les mains avant de prendre b\u00e9b\u00e9 dans les bras.\n2. Porter un masque quand on est enrhum\u00e9.\n3. A\u00e9rer chaque pi\u00e8ce dix minutes par jour.\n\nSi un b\u00e9b\u00e9 respire mal ou refuse de boire, appelez le 15.", "link": "https://www.hopital-tilleuls.example/hiver/bronchiolite", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 16:00:00.000000');
INSERT INTO "payload" VALUES(8,9,'b1cd02592e4c6b92b729cf924f0f9394d9f8d30f0cc6b4062b698f72f3c8540b','78cab9a7-1672-4298-8d7c-c54f99e7886c','4ac9cade920d5f33b2b4c322baaf07f9d21836e21d32c90e9c6972c217cdd955','{"text": "\u00c9tudiantes et \u00e9tudiants en soins\u00a0: la campagne de stages du prochain semestre est ouverte. Trente terrains, de la n\u00e9onatologie \u00e0 la chirurgie. Les candidatures se d\u00e9posent en ligne. #Stage", "link": "https://www.hopital-tilleuls.example/recrutement/stages", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 16:30:00.000000');
INSERT INTO "payload" VALUES(9,5,'e4eac8fdc3dfd45652d74846c477edf3017b3c9c5b7b12535c4ee1bb68984b8c','f59c4e34-931a-467f-975a-c112053ef98c','cb6c0b097d8ceec6d872efd19b99e76c8ae249bf23901b7466292988184566de','{"text": "Une histoire, une chanson, une veilleuse\u2026 Quel rituel du soir apaise vos enfants\u00a0? Partagez vos id\u00e9es en commentaire. Nos auxiliaires de pu\u00e9riculture en feront une petite liste pour les parents qui passent la nuit ici.", "link": null, "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-23 18:00:00.000000');
INSERT INTO "payload" VALUES(10,14,'7873e6b62dc4f615bc71642000714c42999043fe13a836984f2adbd3d20479d8','422c8970-bfa9-4aa5-9ebd-d9ea9111027a','4f866f894cf5c8eb6408b06905ab0ee4fed0c11d224385d78a9a47404414e857','{"text": "Grippe\u00a0: la vaccination peut \u00eatre propos\u00e9e \u00e0 tous les enfants de 2 \u00e0 17 ans. Elle est recommand\u00e9e d\u00e8s 6 mois en cas de maladie chronique. Fiche de synth\u00e8se pour les prescripteurs. #SemaineVaccination", "link": "https://www.hopital-tilleuls.example/professionnels/grippe", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-24 07:00:00.000000');
INSERT INTO "payload" VALUES(11,10,'e8c5797e03aeffb7a788720ddfdf75b11043d5bc70a5e6adb52376ece5faad5f','46ebeda6-a97b-48e1-a3b2-5bc0820ece1a','c12e44ae4da5be0f674ce16cd3565363c4d7f7fdc9ae49e39651dbd0c1a146cf','{"text": "La grippe fatigue beaucoup les enfants et circule vite \u00e0 l\u2019\u00e9cole. Le vaccin est possible d\u00e8s 2 ans pour tous. Il est recommand\u00e9 d\u00e8s 6 mois en cas de maladie chronique. Votre m\u00e9decin, votre pharmacien ou notre stand peuvent vous r\u00e9pondre. Une question\u00a0? Posez-la en commentaire, sans donner d\u2019information m\u00e9dicale personnelle.", "link": "https://www.hopital-tilleuls.example/semaine-vaccination/grippe", "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-24 07:30:00.000000');
INSERT INTO "payload" VALUES(12,15,'886e41e959ef920a44766a623228f9bac4d05a6268069aa6fb1d43004c200db9','81923e1d-e098-457d-8f08-ed0423f063e4','4d09dccf8d8f8c5a430694f859da866570586d36529cca990f7068d46ad2c913','{"text": "Soutien aux fratries\u00a0: jeudi \u00e0 17\u00a0h\u00a030, une psychologue et une \u00e9ducatrice de l\u2019\u00e9tablissement \u00e9changent avec les familles. Les professionnels de l\u2019enfance du territoire peuvent y assister, salle des Glycines.", "link": null, "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-24 08:30:00.000000');
INSERT INTO "payload" VALUES(13,16,'e5275765fbe40cfd89e7cdfe5667262c539294f5a055eb2be81287de43cb3fa4','9cc44cdb-4664-4048-bfcd-850e2c01cd2e','375f7b76d75deacbb9cc89ef00bee171758a7edb4ce820717228a27beeb003d4','{"text": "La t\u00e9l\u00e9expertise p\u00e9diatrique s\u2019ouvre aux m\u00e9decins g\u00e9n\u00e9ralistes du territoire. Cinq sp\u00e9cialit\u00e9s r\u00e9pondent sous deux jours ouvr\u00e9s\u00a0: dermatologie, cardiologie, neurologie, pneumologie, endocrinologie.", "link": null, "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-24 11:00:00.000000');
INSERT INTO "payload" VALUES(14,11,'e250cb391400e15dd4916967817a4706cfe7db35231c867c8719ddb9bb86e387','4e27ab79-00f9-4280-a9be-df381d7a2cc1','4d8f964472733a020eeec00e70000ee6720afbb73a26754c9101cf793e998cd1','{"text": "La bonne r\u00e9ponse du quiz \u00e9tait la B\u00a0: 27 tilleuls. Le doyen a \u00e9t\u00e9 plant\u00e9 par les jardiniers le jour de l\u2019ouverture de l\u2019h\u00f4pital. Bravo \u00e0 toutes les personnes qui ont compt\u00e9 juste\u00a0! Et vous, quel est votre coin pr\u00e9f\u00e9r\u00e9 du parc\u00a0?", "link": null, "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-24 11:30:00.000000');
INSERT INTO "payload" VALUES(15,17,'439558f7105dfb23b4cc2c9252a35e5751972c5eb25322e7d1037d7652985047','71ca4660-e2e3-440a-a68d-046a2d6aa8a4','89f9553a9fd05015ce856c2ffde33ded2031971f69609a86dbf680e19fafc8bd','{"text": "\u00ab\u00a0Un \u00e9tudiant a le droit de ne pas savoir. Il a le devoir de le dire.\u00a0\u00bb Un infirmier tuteur d\u00e9crit l\u2019accompagnement des stagiaires dans nos services, de l\u2019accueil au bilan.", "link": null, "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-24 13:30:00.000000');
INSERT INTO "payload" VALUES(16,12,'8631f8c666c35e83dc727d9088f4ab40e427407395aea88d5a4a1491e7b22bd4','f7427b02-f9e0-4dbf-8c00-c639988456e1','f9532fcd95aa8266ab02f11c50b9d40f3860c866b58308eacc99057f0e30472f','{"text": "\u00ab\u00a0La nuit, on parle bas et on marche doucement. Un enfant qui se r\u00e9veille cherche d\u2019abord un visage. Alors on s\u2019assoit, et on attend avec lui que le sommeil revienne.\u00a0\u00bb\n\nUne infirmi\u00e8re de nuit, douze ans de m\u00e9tier, raconte son service en p\u00e9diatrie. \ud83c\udf19", "link": null, "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-24 16:00:00.000000');
INSERT INTO "payload" VALUES(17,18,'65e2e209995118f12f4e2a86dd3925c2ab8b6022cce1d4d8425db51293a37474','f804cbcf-127d-4523-a652-b2c5d7b4b57a','3effef60e8206df3e8e6f944f0afb0243fcb61bb284e13dc709bba9b2956f695','{"text": "Our sleep study opens its protocol to review. Noise, light and care timing will be measured in six paediatric units over eighteen months. Comments from fellow researchers are welcome.", "link": null, "language": "en", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-24 16:30:00.000000');
INSERT INTO "payload" VALUES(18,13,'754c079a990087c0f1f9b2d5396c9657db4a4036a417cba608c6fe274d6cd0b4','31aa2776-f171-446e-b3d8-521281f3bd27','08c2b7cfeef26b89663b39e764141b34164a5a2938eb0f2343076969f596cc1a','{"text": "Jeudi \u00e0 17\u00a0h\u00a030, le caf\u00e9 des parents ouvre ses portes en salle des Glycines. Le sujet\u00a0: \u00ab\u00a0Comment parler de l\u2019h\u00f4pital \u00e0 un petit fr\u00e8re ou \u00e0 une grande s\u0153ur\u00a0?\u00a0\u00bb Une psychologue et une \u00e9ducatrice animent l\u2019\u00e9change. Entr\u00e9e libre, boissons chaudes et biscuits sur place. \u2615", "link": null, "language": "fr", "role": "part", "visibility": "public", "media": [], "parent": null}',NULL,'2026-11-24 18:00:00.000000');
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
	rev INTEGER NOT NULL, objective VARCHAR, 
	PRIMARY KEY (id), 
	FOREIGN KEY(channel) REFERENCES channel (name), 
	FOREIGN KEY(story_id) REFERENCES story (id), 
	UNIQUE (ref), 
	UNIQUE (story_id, channel, occurrence), 
	CONSTRAINT post_state CHECK (state IN ('draft', 'scheduled', 'publishing', 'published', 'handed', 'unconfirmed', 'failed', 'missed', 'cancelled'))
);
INSERT INTO "post" VALUES(1,'fb-d00-a',1,'1','facebook','tilleuls','announcement','{}','prevention','semaine-vaccination','["public", "families"]','fr','La semaine de la vaccination commence aujourd’hui à l’hôpital. Jusqu’à vendredi, une équipe vous attend dans le hall, de 10 h à 16 h. Vous pouvez venir avec le carnet de santé et toutes vos questions. Le programme jour par jour est sur notre site. 💉','https://www.hopital-tilleuls.example/semaine-vaccination',NULL,'public','published','2026-11-23 07:30:00.000000','2026-11-23T08:30','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','b4e429692f2f11169426d6cb64dd41d19b72e457a8db54fe29b9b380fef91bbf',NULL,'2026-11-23 07:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,'informer');
INSERT INTO "post" VALUES(2,'fb-d00-b',2,'1','facebook','tilleuls','backstage','{}','coulisses',NULL,'["public"]','fr','Six heures du matin, en cuisine. Les chariots partent dans une heure. Au menu : tartines, compote et chocolat chaud. Chaque plateau est préparé selon l’âge et les besoins de l’enfant. Merci aux douze personnes qui lancent la journée avant le lever du soleil.',NULL,NULL,'public','published','2026-11-23 09:30:00.000000','2026-11-23T10:30','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','f2617685af8e41ffb00f64fc5ab268d7365f8e0ecba3bbc48a17efccaf58e4be',NULL,'2026-11-23 09:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,NULL);
INSERT INTO "post" VALUES(3,'fb-d00-c',3,'1','facebook','tilleuls','quiz','{"answer": "B. 27 tilleuls"}','vie-a-l-hopital',NULL,'["public", "families"]','fr','Quiz du lundi ! Combien de tilleuls poussent dans le parc de l’hôpital ?

A. 12
B. 27
C. 41

Dites-nous votre réponse en commentaire. La solution arrive demain, à l’heure du déjeuner. 🌳',NULL,NULL,'public','published','2026-11-23 11:30:00.000000','2026-11-23T12:30','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','8851df9d0e51c2c90a66ef849a0c661a3a4a04aefc81a92a8f985bb348bed53e',NULL,'2026-11-23 11:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,'animer');
INSERT INTO "post" VALUES(4,'fb-d00-d',4,'1','facebook','tilleuls','prevention','{}','hiver',NULL,'["families"]','fr','Rhume, toux, nez qui coule : les virus de l’hiver sont de retour. Trois gestes protègent les bébés.

1. Se laver les mains avant de prendre bébé dans les bras.
2. Porter un masque quand on est enrhumé.
3. Aérer chaque pièce dix minutes par jour.

Si un bébé respire mal ou refuse de boire, appelez le 15.','https://www.hopital-tilleuls.example/hiver/bronchiolite',NULL,'public','published','2026-11-23 16:00:00.000000','2026-11-23T17:00','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','9ed09ad7774ed31b4e2cd23a2a99d6a608147d719f44ac432f86e37467354e4a',NULL,'2026-11-23 16:00:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,'informer');
INSERT INTO "post" VALUES(5,'fb-d00-e',5,'1','facebook','tilleuls','conversation','{}','vie-a-l-hopital',NULL,'["families"]','fr','Une histoire, une chanson, une veilleuse… Quel rituel du soir apaise vos enfants ? Partagez vos idées en commentaire. Nos auxiliaires de puériculture en feront une petite liste pour les parents qui passent la nuit ici.',NULL,NULL,'public','published','2026-11-23 18:00:00.000000','2026-11-23T19:00','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','cb6c0b097d8ceec6d872efd19b99e76c8ae249bf23901b7466292988184566de',NULL,'2026-11-23 18:00:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,'animer');
INSERT INTO "post" VALUES(6,'x-d00-a',1,'1','twitter','tilleuls','announcement','{}','prevention','semaine-vaccination','["institutions", "professionals"]','fr','Semaine de la vaccination à l’Hôpital d’enfants des Tilleuls, de lundi à vendredi. Stand d’information, permanence médicale mercredi, rappel des recommandations aux équipes. Programme détaillé en ligne. #SemaineVaccination','https://www.hopital-tilleuls.example/semaine-vaccination',NULL,'public','published','2026-11-23 07:00:00.000000','2026-11-23T08:00','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','533541abb334c6a8acf3d35cf77f34116a0d91e286596364e78659868c310462',NULL,'2026-11-23 07:00:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,'informer');
INSERT INTO "post" VALUES(7,'x-d00-b',6,'1','twitter','tilleuls','press_release','{}','recherche',NULL,'["institutions", "researchers"]','fr','Communiqué : l’établissement lance une étude sur le sommeil des enfants hospitalisés. Objectif : réduire les réveils liés au bruit et à la lumière. Premiers résultats attendus dans dix-huit mois.','https://www.hopital-tilleuls.example/presse/etude-sommeil',NULL,'public','published','2026-11-23 08:30:00.000000','2026-11-23T09:30','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','90927dc63fd27e6bd34d647e0e2d6a2f5eb287503d35bc9987a33b357766e78a',NULL,'2026-11-23 08:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,NULL);
INSERT INTO "post" VALUES(8,'x-d00-c',4,'1','twitter','tilleuls','prevention','{}','hiver',NULL,'["professionals"]','fr','Bronchiolite : notre protocole de tri des nourrissons est en ligne. Il précise les critères d’orientation vers les urgences ou vers la médecine de ville. Document ouvert aux professionnels du territoire.','https://www.hopital-tilleuls.example/professionnels/bronchiolite',NULL,'public','published','2026-11-23 11:00:00.000000','2026-11-23T12:00','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','ad6ce374b882645ddff21ce97ec65f9e8e9f7adb17a07d279f368a7e5d30a3b6',NULL,'2026-11-23 11:00:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,'informer');
INSERT INTO "post" VALUES(9,'x-d00-d',7,'1','twitter','tilleuls','recruitment','{}','metiers','recrutement-2027','["students"]','fr','Étudiantes et étudiants en soins : la campagne de stages du prochain semestre est ouverte. Trente terrains, de la néonatologie à la chirurgie. Les candidatures se déposent en ligne. #Stage','https://www.hopital-tilleuls.example/recrutement/stages',NULL,'public','published','2026-11-23 16:30:00.000000','2026-11-23T17:30','Europe/Paris','2026-11-23',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','4ac9cade920d5f33b2b4c322baaf07f9d21836e21d32c90e9c6972c217cdd955',NULL,'2026-11-23 16:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,NULL);
INSERT INTO "post" VALUES(10,'fb-d01-a',8,'1','facebook','tilleuls','prevention','{}','prevention','semaine-vaccination','["families"]','fr','La grippe fatigue beaucoup les enfants et circule vite à l’école. Le vaccin est possible dès 2 ans pour tous. Il est recommandé dès 6 mois en cas de maladie chronique. Votre médecin, votre pharmacien ou notre stand peuvent vous répondre. Une question ? Posez-la en commentaire, sans donner d’information médicale personnelle.','https://www.hopital-tilleuls.example/semaine-vaccination/grippe',NULL,'public','published','2026-11-24 07:30:00.000000','2026-11-24T08:30','Europe/Paris','2026-11-24',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','c12e44ae4da5be0f674ce16cd3565363c4d7f7fdc9ae49e39651dbd0c1a146cf',NULL,'2026-11-24 07:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,'informer');
INSERT INTO "post" VALUES(11,'fb-d01-b',3,'2','facebook','tilleuls','conversation','{}','vie-a-l-hopital',NULL,'["public", "families"]','fr','La bonne réponse du quiz était la B : 27 tilleuls. Le doyen a été planté par les jardiniers le jour de l’ouverture de l’hôpital. Bravo à toutes les personnes qui ont compté juste ! Et vous, quel est votre coin préféré du parc ?',NULL,NULL,'public','published','2026-11-24 11:30:00.000000','2026-11-24T12:30','Europe/Paris','2026-11-24',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','4d8f964472733a020eeec00e70000ee6720afbb73a26754c9101cf793e998cd1',NULL,'2026-11-24 11:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,'animer');
INSERT INTO "post" VALUES(12,'fb-d01-c',9,'1','facebook','tilleuls','testimony','{}','metiers',NULL,'["public", "families"]','fr','« La nuit, on parle bas et on marche doucement. Un enfant qui se réveille cherche d’abord un visage. Alors on s’assoit, et on attend avec lui que le sommeil revienne. »

Une infirmière de nuit, douze ans de métier, raconte son service en pédiatrie. 🌙',NULL,NULL,'public','published','2026-11-24 16:00:00.000000','2026-11-24T17:00','Europe/Paris','2026-11-24',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','f9532fcd95aa8266ab02f11c50b9d40f3860c866b58308eacc99057f0e30472f',NULL,'2026-11-24 16:00:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,NULL);
INSERT INTO "post" VALUES(13,'fb-d01-d',10,'1','facebook','tilleuls','event','{"event_date": "2026-11-26", "place": "Salle des Glycines"}','vie-a-l-hopital',NULL,'["families"]','fr','Jeudi à 17 h 30, le café des parents ouvre ses portes en salle des Glycines. Le sujet : « Comment parler de l’hôpital à un petit frère ou à une grande sœur ? » Une psychologue et une éducatrice animent l’échange. Entrée libre, boissons chaudes et biscuits sur place. ☕',NULL,NULL,'public','published','2026-11-24 18:00:00.000000','2026-11-24T19:00','Europe/Paris','2026-11-24',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','08c2b7cfeef26b89663b39e764141b34164a5a2938eb0f2343076969f596cc1a',NULL,'2026-11-24 18:00:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,NULL);
INSERT INTO "post" VALUES(14,'x-d01-a',8,'1','twitter','tilleuls','prevention','{}','prevention','semaine-vaccination','["professionals", "institutions"]','fr','Grippe : la vaccination peut être proposée à tous les enfants de 2 à 17 ans. Elle est recommandée dès 6 mois en cas de maladie chronique. Fiche de synthèse pour les prescripteurs. #SemaineVaccination','https://www.hopital-tilleuls.example/professionnels/grippe',NULL,'public','published','2026-11-24 07:00:00.000000','2026-11-24T08:00','Europe/Paris','2026-11-24',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','4f866f894cf5c8eb6408b06905ab0ee4fed0c11d224385d78a9a47404414e857',NULL,'2026-11-24 07:00:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,'informer');
INSERT INTO "post" VALUES(15,'x-d01-b',10,'1','twitter','tilleuls','event','{"event_date": "2026-11-26", "place": "Salle des Glycines"}','vie-a-l-hopital',NULL,'["institutions", "professionals"]','fr','Soutien aux fratries : jeudi à 17 h 30, une psychologue et une éducatrice de l’établissement échangent avec les familles. Les professionnels de l’enfance du territoire peuvent y assister, salle des Glycines.',NULL,NULL,'public','published','2026-11-24 08:30:00.000000','2026-11-24T09:30','Europe/Paris','2026-11-24',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','4d09dccf8d8f8c5a430694f859da866570586d36529cca990f7068d46ad2c913',NULL,'2026-11-24 08:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,NULL);
INSERT INTO "post" VALUES(16,'x-d01-c',11,'1','twitter','tilleuls','announcement','{}','parcours-de-soins',NULL,'["professionals"]','fr','La téléexpertise pédiatrique s’ouvre aux médecins généralistes du territoire. Cinq spécialités répondent sous deux jours ouvrés : dermatologie, cardiologie, neurologie, pneumologie, endocrinologie.',NULL,NULL,'public','published','2026-11-24 11:00:00.000000','2026-11-24T12:00','Europe/Paris','2026-11-24',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','375f7b76d75deacbb9cc89ef00bee171758a7edb4ce820717228a27beeb003d4',NULL,'2026-11-24 11:00:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,NULL);
INSERT INTO "post" VALUES(17,'x-d01-d',12,'1','twitter','tilleuls','testimony','{}','metiers',NULL,'["students", "professionals"]','fr','« Un étudiant a le droit de ne pas savoir. Il a le devoir de le dire. » Un infirmier tuteur décrit l’accompagnement des stagiaires dans nos services, de l’accueil au bilan.',NULL,NULL,'public','published','2026-11-24 13:30:00.000000','2026-11-24T14:30','Europe/Paris','2026-11-24',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','89f9553a9fd05015ce856c2ffde33ded2031971f69609a86dbf680e19fafc8bd',NULL,'2026-11-24 13:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,NULL);
INSERT INTO "post" VALUES(18,'x-d01-e',6,'2','twitter','tilleuls','conversation','{}','recherche',NULL,'["researchers"]','en','Our sleep study opens its protocol to review. Noise, light and care timing will be measured in six paediatric units over eighteen months. Comments from fellow researchers are welcome.',NULL,NULL,'public','published','2026-11-24 16:30:00.000000','2026-11-24T17:30','Europe/Paris','2026-11-24',NULL,NULL,NULL,NULL,NULL,1,0,1,'root','3effef60e8206df3e8e6f944f0afb0243fcb61bb284e13dc709bba9b2956f695',NULL,'2026-11-24 16:30:00.000000','2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,'animer');
INSERT INTO "post" VALUES(19,'fb-d02-a',13,'1','facebook','tilleuls','event','{"event_date": "2026-11-25", "place": "Hall d\u2019accueil"}','prevention','semaine-vaccination','["families"]','fr','C’est aujourd’hui ! De 13 h 30 à 18 h, deux médecins et une puéricultrice vous reçoivent dans le hall. Vous pouvez apporter le carnet de santé de vos enfants. Nous relisons ensemble les vaccins déjà faits et ceux à prévoir. Vous pouvez venir sans rendez-vous.',NULL,NULL,'public','scheduled','2026-11-25 07:30:00.000000','2026-11-25T08:30','Europe/Paris','2026-11-25',NULL,NULL,'2026-11-25 07:30:00.000000',NULL,NULL,1,0,1,'root','9a7a4b4837188cd55b1a65f4c405844f82cbca1900ba6fabcde8e3b8596268fc',NULL,NULL,'2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,'informer');
INSERT INTO "post" VALUES(23,'x-d02-a',17,'1','twitter','tilleuls','announcement','{}','prevention','semaine-vaccination','["institutions", "professionals"]','fr','Vaccination des équipes : un chariot passe dans chaque service jusqu’à vendredi, de jour comme de nuit. Le taux de couverture par métier sera publié dans le rapport qualité. #SemaineVaccination',NULL,NULL,'public','scheduled','2026-11-25 07:00:00.000000','2026-11-25T08:00','Europe/Paris','2026-11-25',NULL,NULL,'2026-11-25 07:00:00.000000',NULL,NULL,1,0,1,'root','ce9012d511be48377e709941861ed6913ce70fde4e206ad912501c7e6a8dabd3',NULL,NULL,'2026-11-20 08:00:00.000000','2026-11-20 08:00:00.000000',1,'informer');
INSERT INTO "post" VALUES(24,NULL,NULL,'1','facebook','tilleuls','announcement','{}',NULL,NULL,'["public", "families", "teenagers", "associations"]','fr','Un texte de plus',NULL,NULL,'public','scheduled','2026-11-27 09:30:00.000000','2026-11-27T10:30','Europe/Paris','2026-11-27',NULL,NULL,'2026-11-27 09:30:00.000000',NULL,NULL,1,0,0,'root','97317f746ddd4ed427a1bf5466f72665deac648fd13d53e8c74c5e55c649efdc',NULL,NULL,'2026-11-25 08:00:00.000000','2026-11-25 08:00:00.000000',1,NULL);
CREATE VIRTUAL TABLE post_words USING fts5(said, about, tokenize = 'ascii');
INSERT INTO post_words (rowid, said, about) VALUES (1,'la semaine de la vaccination commence aujourd hui a l hopital jusqu a vendredi une equipe vous attend dans le hall de 10 h a 16 h vous pouvez venir avec le carnet de sante et toutes vos questions le programme jour par jour est sur notre site 💉','https www hopital tilleuls example semaine vaccination ¶ fb d00 a ¶ semaine vaccination ¶ prevention ¶ semaine vaccination');
INSERT INTO post_words (rowid, said, about) VALUES (2,'six heures du matin en cuisine les chariots partent dans une heure au menu tartines compote et chocolat chaud chaque plateau est prepare selon l age et les besoins de l enfant merci aux douze personnes qui lancent la journee avant le lever du soleil','fb d00 b ¶ cuisine du matin ¶ coulisses');
INSERT INTO post_words (rowid, said, about) VALUES (3,'quiz du lundi combien de tilleuls poussent dans le parc de l hopital a 12 b 27 c 41 dites nous votre reponse en commentaire la solution arrive demain a l heure du dejeuner 🌳','fb d00 c ¶ quiz tilleuls ¶ vie a l hopital ¶ b 27 tilleuls');
INSERT INTO post_words (rowid, said, about) VALUES (4,'rhume toux nez qui coule les virus de l hiver sont de retour trois gestes protegent les bebes 1 se laver les mains avant de prendre bebe dans les bras 2 porter un masque quand on est enrhume 3 aerer chaque piece dix minutes par jour si un bebe respire mal ou refuse de boire appelez le 15','https www hopital tilleuls example hiver bronchiolite ¶ fb d00 d ¶ bronchiolite gestes ¶ hiver');
INSERT INTO post_words (rowid, said, about) VALUES (5,'une histoire une chanson une veilleuse quel rituel du soir apaise vos enfants partagez vos idees en commentaire nos auxiliaires de puericulture en feront une petite liste pour les parents qui passent la nuit ici','fb d00 e ¶ rituel du soir ¶ vie a l hopital');
INSERT INTO post_words (rowid, said, about) VALUES (6,'semaine de la vaccination a l hopital d enfants des tilleuls de lundi a vendredi stand d information permanence medicale mercredi rappel des recommandations aux equipes programme detaille en ligne semainevaccination','https www hopital tilleuls example semaine vaccination ¶ x d00 a ¶ semaine vaccination ¶ prevention ¶ semaine vaccination');
INSERT INTO post_words (rowid, said, about) VALUES (7,'communique l etablissement lance une etude sur le sommeil des enfants hospitalises objectif reduire les reveils lies au bruit et a la lumiere premiers resultats attendus dans dix huit mois','https www hopital tilleuls example presse etude sommeil ¶ x d00 b ¶ etude sommeil ¶ recherche');
INSERT INTO post_words (rowid, said, about) VALUES (8,'bronchiolite notre protocole de tri des nourrissons est en ligne il precise les criteres d orientation vers les urgences ou vers la medecine de ville document ouvert aux professionnels du territoire','https www hopital tilleuls example professionnels bronchiolite ¶ x d00 c ¶ bronchiolite gestes ¶ hiver');
INSERT INTO post_words (rowid, said, about) VALUES (9,'etudiantes et etudiants en soins la campagne de stages du prochain semestre est ouverte trente terrains de la neonatologie a la chirurgie les candidatures se deposent en ligne stage','https www hopital tilleuls example recrutement stages ¶ x d00 d ¶ stages etudiants ¶ metiers ¶ recrutement 2027');
INSERT INTO post_words (rowid, said, about) VALUES (10,'la grippe fatigue beaucoup les enfants et circule vite a l ecole le vaccin est possible des 2 ans pour tous il est recommande des 6 mois en cas de maladie chronique votre medecin votre pharmacien ou notre stand peuvent vous repondre une question posez la en commentaire sans donner d information medicale personnelle','https www hopital tilleuls example semaine vaccination grippe ¶ fb d01 a ¶ grippe vaccination ¶ prevention ¶ semaine vaccination');
INSERT INTO post_words (rowid, said, about) VALUES (11,'la bonne reponse du quiz etait la b 27 tilleuls le doyen a ete plante par les jardiniers le jour de l ouverture de l hopital bravo a toutes les personnes qui ont compte juste et vous quel est votre coin prefere du parc','fb d01 b ¶ quiz tilleuls ¶ vie a l hopital');
INSERT INTO post_words (rowid, said, about) VALUES (12,'la nuit on parle bas et on marche doucement un enfant qui se reveille cherche d abord un visage alors on s assoit et on attend avec lui que le sommeil revienne une infirmiere de nuit douze ans de metier raconte son service en pediatrie 🌙','fb d01 c ¶ infirmiere de nuit ¶ metiers');
INSERT INTO post_words (rowid, said, about) VALUES (13,'jeudi a 17 h 30 le cafe des parents ouvre ses portes en salle des glycines le sujet comment parler de l hopital a un petit frere ou a une grande soeur une psychologue et une educatrice animent l echange entree libre boissons chaudes et biscuits sur place ☕','fb d01 d ¶ cafe des parents ¶ vie a l hopital ¶ 2026 11 26 ¶ salle des glycines');
INSERT INTO post_words (rowid, said, about) VALUES (14,'grippe la vaccination peut etre proposee a tous les enfants de 2 a 17 ans elle est recommandee des 6 mois en cas de maladie chronique fiche de synthese pour les prescripteurs semainevaccination','https www hopital tilleuls example professionnels grippe ¶ x d01 a ¶ grippe vaccination ¶ prevention ¶ semaine vaccination');
INSERT INTO post_words (rowid, said, about) VALUES (15,'soutien aux fratries jeudi a 17 h 30 une psychologue et une educatrice de l etablissement echangent avec les familles les professionnels de l enfance du territoire peuvent y assister salle des glycines','x d01 b ¶ cafe des parents ¶ vie a l hopital ¶ 2026 11 26 ¶ salle des glycines');
INSERT INTO post_words (rowid, said, about) VALUES (16,'la teleexpertise pediatrique s ouvre aux medecins generalistes du territoire cinq specialites repondent sous deux jours ouvres dermatologie cardiologie neurologie pneumologie endocrinologie','x d01 c ¶ teleexpertise ¶ parcours de soins');
INSERT INTO post_words (rowid, said, about) VALUES (17,'un etudiant a le droit de ne pas savoir il a le devoir de le dire un infirmier tuteur decrit l accompagnement des stagiaires dans nos services de l accueil au bilan','x d01 d ¶ tutorat ¶ metiers');
INSERT INTO post_words (rowid, said, about) VALUES (18,'our sleep study opens its protocol to review noise light and care timing will be measured in six paediatric units over eighteen months comments from fellow researchers are welcome','x d01 e ¶ etude sommeil ¶ recherche');
INSERT INTO post_words (rowid, said, about) VALUES (19,'c est aujourd hui de 13 h 30 a 18 h deux medecins et une puericultrice vous recoivent dans le hall vous pouvez apporter le carnet de sante de vos enfants nous relisons ensemble les vaccins deja faits et ceux a prevoir vous pouvez venir sans rendez vous','fb d02 a ¶ permanence vaccination ¶ prevention ¶ semaine vaccination ¶ 2026 11 25 ¶ hall d accueil');
INSERT INTO post_words (rowid, said, about) VALUES (23,'vaccination des equipes un chariot passe dans chaque service jusqu a vendredi de jour comme de nuit le taux de couverture par metier sera publie dans le rapport qualite semainevaccination','x d02 a ¶ vaccination des equipes ¶ prevention ¶ semaine vaccination');
INSERT INTO post_words (rowid, said, about) VALUES (24,'un texte de plus','');
CREATE TABLE post_words_rev (post_id INTEGER PRIMARY KEY, rev INTEGER NOT NULL);
INSERT INTO "post_words_rev" VALUES(1,1);
INSERT INTO "post_words_rev" VALUES(2,1);
INSERT INTO "post_words_rev" VALUES(3,1);
INSERT INTO "post_words_rev" VALUES(4,1);
INSERT INTO "post_words_rev" VALUES(5,1);
INSERT INTO "post_words_rev" VALUES(6,1);
INSERT INTO "post_words_rev" VALUES(7,1);
INSERT INTO "post_words_rev" VALUES(8,1);
INSERT INTO "post_words_rev" VALUES(9,1);
INSERT INTO "post_words_rev" VALUES(10,1);
INSERT INTO "post_words_rev" VALUES(11,1);
INSERT INTO "post_words_rev" VALUES(12,1);
INSERT INTO "post_words_rev" VALUES(13,1);
INSERT INTO "post_words_rev" VALUES(14,1);
INSERT INTO "post_words_rev" VALUES(15,1);
INSERT INTO "post_words_rev" VALUES(16,1);
INSERT INTO "post_words_rev" VALUES(17,1);
INSERT INTO "post_words_rev" VALUES(18,1);
INSERT INTO "post_words_rev" VALUES(19,1);
INSERT INTO "post_words_rev" VALUES(23,1);
INSERT INTO "post_words_rev" VALUES(24,1);
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
INSERT INTO "receipt" VALUES(10,14,10,1,'sandbox','sb-10','sandbox://@hop_tilleuls/sb-10','2026-11-24 07:00:00.000000','sent','2026-11-24 07:00:00.000000');
INSERT INTO "receipt" VALUES(11,10,11,2,'sandbox','sb-11','sandbox://hopital.tilleuls/sb-11','2026-11-24 07:30:00.000000','sent','2026-11-24 07:30:00.000000');
INSERT INTO "receipt" VALUES(12,15,12,1,'sandbox','sb-12','sandbox://@hop_tilleuls/sb-12','2026-11-24 08:30:00.000000','sent','2026-11-24 08:30:00.000000');
INSERT INTO "receipt" VALUES(13,16,13,1,'sandbox','sb-13','sandbox://@hop_tilleuls/sb-13','2026-11-24 11:00:00.000000','sent','2026-11-24 11:00:00.000000');
INSERT INTO "receipt" VALUES(14,11,14,2,'sandbox','sb-14','sandbox://hopital.tilleuls/sb-14','2026-11-24 11:30:00.000000','sent','2026-11-24 11:30:00.000000');
INSERT INTO "receipt" VALUES(15,17,15,1,'sandbox','sb-15','sandbox://@hop_tilleuls/sb-15','2026-11-24 13:30:00.000000','sent','2026-11-24 13:30:00.000000');
INSERT INTO "receipt" VALUES(16,12,16,2,'sandbox','sb-16','sandbox://hopital.tilleuls/sb-16','2026-11-24 16:00:00.000000','sent','2026-11-24 16:00:00.000000');
INSERT INTO "receipt" VALUES(17,18,17,1,'sandbox','sb-17','sandbox://@hop_tilleuls/sb-17','2026-11-24 16:30:00.000000','sent','2026-11-24 16:30:00.000000');
INSERT INTO "receipt" VALUES(18,13,18,2,'sandbox','sb-18','sandbox://hopital.tilleuls/sb-18','2026-11-24 18:00:00.000000','sent','2026-11-24 18:00:00.000000');
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
INSERT INTO "snapshot" VALUES(1,1,'facebook','2026-11-25 08:00:00.000000','sandbox',NULL,1219,1354,56,10,8,NULL,43,NULL,NULL);
INSERT INTO "snapshot" VALUES(2,2,'facebook','2026-11-25 08:00:00.000000','sandbox',NULL,1271,1951,56,4,13,NULL,33,NULL,NULL);
INSERT INTO "snapshot" VALUES(3,3,'facebook','2026-11-25 08:00:00.000000','sandbox',NULL,1062,1427,23,10,3,NULL,16,NULL,NULL);
INSERT INTO "snapshot" VALUES(4,4,'facebook','2026-11-25 08:00:00.000000','sandbox',NULL,272,352,6,2,0,NULL,7,NULL,NULL);
INSERT INTO "snapshot" VALUES(5,5,'facebook','2026-11-25 08:00:00.000000','sandbox',NULL,675,821,29,7,1,NULL,20,NULL,NULL);
INSERT INTO "snapshot" VALUES(6,10,'facebook','2026-11-25 08:00:00.000000','sandbox',NULL,866,1151,37,1,2,NULL,13,NULL,NULL);
INSERT INTO "snapshot" VALUES(7,11,'facebook','2026-11-25 08:00:00.000000','sandbox',NULL,421,668,15,1,2,NULL,16,NULL,NULL);
INSERT INTO "snapshot" VALUES(8,12,'facebook','2026-11-25 08:00:00.000000','sandbox',NULL,850,1317,22,9,8,NULL,6,NULL,NULL);
INSERT INTO "snapshot" VALUES(9,13,'facebook','2026-11-25 08:00:00.000000','sandbox',NULL,453,505,29,4,2,NULL,8,NULL,NULL);
INSERT INTO "snapshot" VALUES(10,NULL,'facebook','2026-11-25 08:00:00.000000','sandbox',3002,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "snapshot" VALUES(11,6,'twitter','2026-11-25 08:00:00.000000','sandbox',NULL,1127,1771,34,2,15,NULL,12,NULL,NULL);
INSERT INTO "snapshot" VALUES(12,7,'twitter','2026-11-25 08:00:00.000000','sandbox',NULL,603,712,19,3,6,NULL,8,NULL,NULL);
INSERT INTO "snapshot" VALUES(13,8,'twitter','2026-11-25 08:00:00.000000','sandbox',NULL,336,520,17,1,4,NULL,7,NULL,NULL);
INSERT INTO "snapshot" VALUES(14,9,'twitter','2026-11-25 08:00:00.000000','sandbox',NULL,938,1345,40,8,5,NULL,29,NULL,NULL);
INSERT INTO "snapshot" VALUES(15,14,'twitter','2026-11-25 08:00:00.000000','sandbox',NULL,992,1495,24,10,12,NULL,22,NULL,NULL);
INSERT INTO "snapshot" VALUES(16,15,'twitter','2026-11-25 08:00:00.000000','sandbox',NULL,974,1498,23,5,6,NULL,29,NULL,NULL);
INSERT INTO "snapshot" VALUES(17,16,'twitter','2026-11-25 08:00:00.000000','sandbox',NULL,546,625,23,1,4,NULL,11,NULL,NULL);
INSERT INTO "snapshot" VALUES(18,17,'twitter','2026-11-25 08:00:00.000000','sandbox',NULL,203,236,4,0,1,NULL,4,NULL,NULL);
INSERT INTO "snapshot" VALUES(19,18,'twitter','2026-11-25 08:00:00.000000','sandbox',NULL,252,352,7,1,2,NULL,4,NULL,NULL);
INSERT INTO "snapshot" VALUES(20,NULL,'twitter','2026-11-25 08:00:00.000000','sandbox',3003,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
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
INSERT INTO "story" VALUES(13,'permanence-vaccination','permanence-vaccination','2026-11-20 08:00:00.000000');
INSERT INTO "story" VALUES(17,'vaccination-des-equipes','vaccination-des-equipes','2026-11-20 08:00:00.000000');
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
CREATE INDEX ix_change_actor ON change (actor, id);
CREATE INDEX ix_outside_published ON outside (channel, published_at);
CREATE TRIGGER post_words_gone AFTER DELETE ON post WHEN EXISTS (SELECT 1 FROM post_words_rev WHERE post_id = old.id) BEGIN DELETE FROM post_words WHERE rowid = old.id; DELETE FROM post_words_rev WHERE post_id = old.id; END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('action',2);
INSERT INTO "sqlite_sequence" VALUES('attempt',18);
INSERT INTO "sqlite_sequence" VALUES('change',1);
COMMIT;
PRAGMA user_version = 2;
