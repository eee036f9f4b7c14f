-- A database with the first migration, and an account whose password is "correct horse battery".
CREATE TABLE "seaql_migrations" ( "version" varchar NOT NULL PRIMARY KEY, "applied_at" integer NOT NULL );
INSERT INTO seaql_migrations VALUES('m0001_core',1795000000);
CREATE TABLE "users" ( "id" uuid_text NOT NULL PRIMARY KEY, "username" varchar(254) NOT NULL, "username_key" varchar(254) NOT NULL UNIQUE, "password_hash" varchar(255) NOT NULL, "nickname" varchar(64) NULL, "avatar_url" varchar(255) NULL, "role" varchar(16) NOT NULL, "created_at" integer NOT NULL, "disabled_at" integer NULL );
CREATE TABLE "sessions" ( "id" uuid_text NOT NULL PRIMARY KEY, "user_id" uuid_text NOT NULL, "generation" integer NOT NULL, "parent_generation" integer NULL, "remember" boolean NOT NULL, "created_at" integer NOT NULL, "refreshed_at" integer NOT NULL, "expires_at" integer NOT NULL, "ended_at" integer NULL, "end_reason" varchar(32) NULL, FOREIGN KEY ("user_id") REFERENCES "users" ("id") ON DELETE CASCADE );
CREATE TABLE "revoked_tokens" ( "jti" varchar(64) NOT NULL PRIMARY KEY, "type" varchar(16) NOT NULL, "expires_at" integer NOT NULL, "revoked_at" integer NOT NULL, "reason" varchar(32) NOT NULL );
CREATE INDEX "sessions_by_user" ON "sessions" ("user_id", "created_at");
CREATE INDEX "sessions_by_end" ON "sessions" ("expires_at");
CREATE INDEX "revoked_tokens_by_end" ON "revoked_tokens" ("expires_at");
INSERT INTO users (id, username, username_key, password_hash, role, created_at) VALUES (X'0199c2f0000070008000000000000001', 'ada', 'ada', '$argon2id$v=19$m=19456,t=2,p=1$mEDqeZNJJYHLTlG4Gr5Mpw$LeIQbBdHpCRXgeMVBsmhgwvIEOyye/RqLx9kNHX99ww', 'user', 1795000000);
